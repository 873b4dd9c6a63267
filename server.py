"""ASGI entry point (composed in a later commit)."""
