"""The value of a field of type `file` or `image`: what a content is called, and its hash, by which it is found."""

from __future__ import annotations

from typing import Any


class Attachment(dict[str, Any]):
    """`name`, `type`, `size` (bytes) and `sha` (SHA-256) of a content that is kept.

    Made where contents are taken in and where values are read from the store, never of what a door was given: a
    mapping that names somebody else's hash is not one.
    """

    @property
    def name(self) -> str:
        """What the file is called."""
        return str(self["name"])

    @property
    def sha(self) -> str:
        """The hash of its content."""
        return str(self["sha"])

    @property
    def type(self) -> str:
        """The media type that its content was found to have."""
        return str(self["type"])

    @property
    def is_picture(self) -> bool:
        """Whether browsers may show it: pictures were written anew by us."""
        return self.type.startswith("image/")
