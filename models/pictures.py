"""Pictures are decoded and written anew: what a camera or a program put into them beside the picture is gone."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from models.message import say
from models.values import ValueRefusedError

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
THUMB = (320, 320)
"""The most pixels of the small form of a picture, across and down."""
_BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, MemoryError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""What Pillow raises for what it cannot read."""


def rewrite(path: Path, type_: str, *, pixels: int) -> str:
    """Write the picture at `path` anew, upright and bare, in its place; return its media type (a GIF becomes a PNG).

    `ValueRefusedError` for one of more than `pixels`, known before it is decoded, and for what is no picture.
    """
    written = "image/png" if type_ == "image/gif" else type_
    try:
        with Image.open(path, formats=[FORMATS[type_]]) as found:
            if found.width * found.height > pixels:
                raise ValueRefusedError(
                    say("This picture has more than {count} million pixels.", count=pixels // 1_000_000)
                )
            bare = _bare(ImageOps.exif_transpose(found), opaque=written == "image/jpeg")
    except _BROKEN:
        raise ValueRefusedError(say("This picture can't be read.")) from None
    bare.save(path, FORMATS[written], quality=90)
    return written


def _bare(found: Image.Image, *, opaque: bool) -> Image.Image:
    """Return the picture's pixels alone."""
    clear = not opaque and found.has_transparency_data
    pixels = found.convert("RGBA" if clear else "L" if found.mode == "L" else "RGB")
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    return bare


def shrink(path: Path, to: Path) -> None:
    """Write a small form of a picture of ours into a new file."""
    with Image.open(path, formats=tuple(FORMATS.values())) as found:
        found.thumbnail(THUMB)
        found.save(to, "WEBP", quality=80)
