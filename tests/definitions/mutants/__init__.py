"""Broken packs, made by the thousand: whatever the checker promises to find is broken at every place of every pack."""
