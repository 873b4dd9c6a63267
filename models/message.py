"""Sentences of the product, as the rooms above the definitions say them."""

from definitions.message import Message, say

__all__ = ["Message", "say"]
