"""A process of its own that sets one document: Typst's source comes in, a PDF goes out. It imports nothing of ours.

What it may use is bounded by the system: memory, time, files that it could write.
"""

from __future__ import annotations

import resource
import sys

import typst

MEMORY = 1 << 30
"""Bytes of address space: Typst itself is a tenth of it."""
SECONDS = 15
"""Of the processor."""


def main() -> None:
    """Set what stands in the standard input; the second argument is the time that the document is dated."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    fonts = typst.Fonts(include_system_fonts=False)
    try:
        made = typst.Compiler(sys.stdin.buffer.read(), font_paths=fonts).compile(
            format="pdf", timestamp=int(sys.argv[1])
        )
    except typst.TypstError as error:
        sys.stderr.write(error.message)
        raise SystemExit(2) from None
    if not isinstance(made, bytes):
        raise SystemExit(3)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
