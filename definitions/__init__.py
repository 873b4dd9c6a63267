"""The definition language: read, validate, build, check; expressions; JSON Schemas; the packs."""
