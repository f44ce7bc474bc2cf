"""Bytes of a file, whatever it is packed in: plain, gzip, zstandard, or a zip of one file. By content alone.

A tar stays a tar: its members are files of their own (:func:`tar_members`).
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import zstandard

from headwater.domain.errors import ImportRefusedError

CHUNK_BYTES: Final = 1 << 20
HEAD_BYTES: Final = 1 << 16
INFLATED_BYTES_MAX: Final = 8 << 20
"""Longest piece handed out of gzip, however well it was packed."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = b"PK\x03\x04"
_TAR_MAGIC: Final = slice(257, 262)


def _ignore_progress(bytes_done: int) -> None:
    """Nobody watches."""


def chunks(
    path: Path, progress: Callable[[int], None] = _ignore_progress, piece_bytes: int = CHUNK_BYTES
) -> Iterator[bytes]:
    """Decompressed bytes of `path`, a piece of the file at a time.

    Parameters
    ----------
    path : plain, gzip (of any number of members), zstandard, or a zip that holds one file
    progress : called with the compressed bytes consumed so far
    piece_bytes : of the file that are read at once

    Raises
    ------
    ImportRefusedError
        The file is missing, cut short, or damaged; the message says at which byte.
    """
    with _opened(path) as file:
        magic = file.read(4)
        file.seek(0)
        if magic.startswith(_GZIP):
            yield from _gunzip(path, file, progress, piece_bytes)
        elif magic == _ZSTD:
            yield from _unzstd(path, file, progress, piece_bytes)
        elif magic == _ZIP:
            yield from _unzip(path, file, progress, piece_bytes)
        else:
            yield from _plain(file, progress, piece_bytes)


def read_head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first `size` decompressed bytes of `path`; fewer when the file is shorter."""
    head = bytearray()
    for chunk in chunks(path, piece_bytes=max(size // 4, 512)):
        head += chunk[: size - len(head)]
        if len(head) >= size:
            break
    return bytes(head)


def read_all(path: Path, progress: Callable[[int], None] = _ignore_progress) -> bytes:
    """All decompressed bytes of `path`."""
    return b"".join(chunks(path, progress))


def line_blocks(path: Path, progress: Callable[[int], None] = _ignore_progress) -> Iterator[bytes]:
    """Decompressed bytes of `path` in blocks that end at a line end, except perhaps the last block."""
    rest = b""
    for chunk in chunks(path, progress):
        cut = chunk.rfind(b"\n") + 1
        if cut == 0:
            rest += chunk
            continue
        yield rest + chunk[:cut]
        rest = chunk[cut:]
    if rest:
        yield rest


def is_tar(head: bytes) -> bool:
    """Whether decompressed bytes begin a tar archive."""
    return head[_TAR_MAGIC] == b"ustar"


def tar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each regular file of a tar, itself compressed or not, in the order of the archive."""
    stream = ByteStream(path)
    try:
        with tarfile.open(fileobj=io.BufferedReader(stream, CHUNK_BYTES), mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield member.name, file.read()
    except tarfile.TarError as error:
        raise ImportRefusedError(f"{path}: the tar archive is damaged: {error}; fetch it again") from error


class ByteStream(io.RawIOBase):
    """The decompressed bytes of a file as a stream, for libraries that want one.

    Parameters
    ----------
    path, progress : as for :func:`chunks`
    """

    def __init__(self, path: Path, progress: Callable[[int], None] = _ignore_progress) -> None:
        super().__init__()
        self._chunks = chunks(path, progress)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ImportRefusedError(f"{path}: cannot be opened: {error.strerror}; check the path") from error


def _plain(file: IO[bytes], progress: Callable[[int], None], piece_bytes: int) -> Iterator[bytes]:
    done = 0
    while piece := file.read(piece_bytes):
        done += len(piece)
        yield piece
        progress(done)


def _gunzip(
    path: Path, file: IO[bytes], progress: Callable[[int], None], piece_bytes: int
) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    text_bytes_max = min(8 * piece_bytes, INFLATED_BYTES_MAX)
    done = 0
    while piece := file.read(piece_bytes):
        done += len(piece)
        while True:
            try:
                text = inflate.decompress(piece, text_bytes_max)
            except zlib.error as error:
                raise _damaged(path, "gzip", done, str(error)) from error
            if text:
                yield text
            piece = inflate.unused_data.lstrip(b"\0") if inflate.eof else inflate.unconsumed_tail
            if inflate.eof and piece:
                inflate = zlib.decompressobj(wbits=31)
            elif not piece and len(text) < text_bytes_max:
                break
        progress(done)
    if not inflate.eof:
        raise _damaged(path, "gzip", done, "the stream ends before its end mark")


def _unzstd(
    path: Path, file: IO[bytes], progress: Callable[[int], None], piece_bytes: int
) -> Iterator[bytes]:
    inflate = zstandard.ZstdDecompressor().decompressobj()
    done = 0
    while piece := file.read(piece_bytes):
        done += len(piece)
        while piece:
            try:
                text = inflate.decompress(piece)
            except zstandard.ZstdError as error:
                raise _damaged(path, "zstandard", done, str(error)) from error
            if text:
                yield text
            piece = inflate.unused_data
            if inflate.eof and piece:
                inflate = zstandard.ZstdDecompressor().decompressobj()
        progress(done)
    if not inflate.eof:
        raise _damaged(path, "zstandard", done, "the stream ends before its end mark")


def _unzip(path: Path, file: IO[bytes], progress: Callable[[int], None], piece_bytes: int) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            if len(names) != 1:
                raise ImportRefusedError(
                    f"{path}: expected a zip of one file, found {len(names)}; unpack it and import each file"
                )
            with archive.open(names[0]) as member:
                while text := member.read(piece_bytes):
                    yield text
                    progress(file.tell())
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _damaged(path, "zip", file.tell(), str(error)) from error


def _damaged(path: Path, packing: str, offset: int, why: str) -> ImportRefusedError:
    return ImportRefusedError(
        f"{path}: expected a whole {packing} stream, found damage near byte {offset}: {why}; fetch it again"
    )
