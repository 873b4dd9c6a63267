"""Doors for people and programs: generated screens, piccolo-admin, command line."""
