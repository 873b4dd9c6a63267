"""Sealed files: read by the owners of their keys, refused when a byte is another one, never in the clear on a disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.envelopes import EnvelopeError, _Cipher, fresh, identities_of, opened, recipients_of, sealing

pytestmark = pytest.mark.anyio

MARK = b"what nobody else may read "
LONG = MARK * 8000
"""Several of the pieces that are authenticated each."""


async def sealed(path: Path, *keys: object, content: bytes = LONG) -> None:
    async with sealing(path, recipients_of(str(key.to_public()) for key in keys)) as file:  # type: ignore[attr-defined] # it has no types
        for start in range(0, len(content), 1000):
            file.write(content[start : start + 1000])


async def read(path: Path, *keys: object) -> bytes:
    async with opened(path, keys, path.parent) as file:
        assert [each for each in os.listdir(path.parent) if each != path.name] == []  # noqa: PTH208 - nobody else waits
        return file.read()


async def test_each_owner_of_a_key_reads_it_and_nobody_else(tmp_path: Path) -> None:
    one, other, stranger = fresh(), fresh(), fresh()
    path = tmp_path / "x.age"
    await sealed(path, one, other)
    assert path.stat().st_mode & 0o777 == 0o600
    assert MARK not in path.read_bytes()
    assert await read(path, one) == await read(path, stranger, other) == LONG
    with pytest.raises(EnvelopeError, match="other keys"):
        await read(path, stranger)


@pytest.mark.parametrize("size", [0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1])
async def test_every_length_comes_back(tmp_path: Path, size: int) -> None:
    key = fresh()
    await sealed(tmp_path / "x.age", key, content=LONG[:size])
    assert await read(tmp_path / "x.age", key) == LONG[:size]


async def test_it_is_the_format_of_age(tmp_path: Path) -> None:
    await sealed(tmp_path / "x.age", fresh())
    assert (tmp_path / "x.age").read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ")


def test_a_byte_that_is_another_one_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    import anyio  # noqa: PLC0415 - hypothesis calls no coroutines

    folder = tmp_path_factory.mktemp("damaged")
    key = fresh()
    anyio.run(lambda: sealed(folder / "whole.age", key))
    whole = (folder / "whole.age").read_bytes()

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(whole) - 1), st.integers(0, 7), st.booleans())
    def damaged(place: int, bit: int, cut: bool) -> None:
        changed = bytes([whole[place] ^ (1 << bit)])
        path = folder / "damaged.age"
        path.write_bytes(whole[:place] if cut else whole[:place] + changed + whole[place + 1 :])
        (folder / "whole.age").unlink(missing_ok=True)
        with pytest.raises(EnvelopeError):
            anyio.run(lambda: read(path, key))

    damaged()


async def test_what_follows_the_end_is_refused(tmp_path: Path) -> None:
    key = fresh()
    await sealed(tmp_path / "x.age", key)
    with (tmp_path / "x.age").open("ab") as file:
        file.write(b"more")
    with pytest.raises(EnvelopeError, match="damaged"):
        await read(tmp_path / "x.age", key)


async def test_a_full_disk_is_what_is_told_of_and_the_thread_ends() -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: ASYNC230, PTH123 - a device
        cipher = _Cipher(full, recipients_of([str(fresh().to_public())]))
        with suppress(BrokenPipeError):
            while True:
                cipher.pipe.write(LONG)
        with pytest.raises(OSError, match="No space left"):
            cipher.finish()
    assert not cipher._thread.is_alive()


async def test_what_goes_wrong_while_writing_is_told_and_leaves_no_whole_file(tmp_path: Path) -> None:
    key = fresh()
    with pytest.raises(TypeError):
        await sealed(tmp_path / "x.age", key, content=LONG.decode())  # type: ignore[arg-type] # that is what goes wrong
    with pytest.raises(FileExistsError):
        await sealed(tmp_path / "x.age", key)


async def test_a_file_that_is_not_there_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await read(tmp_path / "x.age", fresh())


@pytest.mark.parametrize("text", ["", "age1", "alba", pytest.param(str(fresh()), id="a secret key")])
def test_what_is_no_public_key_is_refused_and_a_secret_one_not_repeated(text: str) -> None:
    with pytest.raises(EnvelopeError) as refused:
        recipients_of([text])
    assert "AGE-SECRET" not in str(refused.value)


def test_a_file_of_keys_has_remarks_and_several_keys() -> None:
    one, other = fresh(), fresh()
    found = identities_of(f"# made today\n\n{one}\n  {other}\n")
    assert [str(key) for key in found] == [str(one), str(other)]
    for text in ("", "# nothing\n", f"{one}\nx\n"):
        with pytest.raises(EnvelopeError):
            identities_of(text)
