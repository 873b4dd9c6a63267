"""The generated screens: each module has its `routes`."""
