"""The API: the same records and the same engine as the screens, for programs."""
