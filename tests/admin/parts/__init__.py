"""Tests of what generated screens are put together from."""
