"""The frozen types of everything that a pack defines; each knows its place."""
