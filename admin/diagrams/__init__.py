"""Processes as pictures: a layered layout of their own, drawn as SVG."""
