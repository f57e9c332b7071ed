"""Bodies on their way in and out: documents encrypted with their patient's key, all compressed.

A body without documents is one zstd frame. A body with documents is::

    1 or 2 | data key's version, 2 bytes | frame's length, 4 bytes | frame | hash | sealed list

It begins with 2 where files belong to it. The frame holds the resource with a numbered placeholder
for each base64 text (attachments, Binary, signatures). The sealed list holds the texts' contents in
the order of their numbers, compressed; a large one stands in the blob store, sealed on its own, and
the list holds its name and hash.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import msgspec
import zstandard
from asyncpg import Record

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.errors import HygieError, Unavailable
from hygie.kernel.fhir.rewrite import BLOB_MARK, attach_data, cut_data, text_of, withhold_data
from hygie.kernel.security.keys.keyring import DataKey, KeyName, Keyring, hold
from hygie.kernel.security.keys.seal import HASH_BYTES, Place
from hygie.kernel.store.codec import LEVEL, Codec

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")
INLINE_LIMIT = 64 * 1024
"""Bytes from which work is done in a thread (and, as base64, architecture, 13)."""
FILE_LIMIT = INLINE_LIMIT * 3 // 4
"""Bytes from which a content leaves the database for a file."""
_SEALED, _WITH_FILES = 1, 2
"""First byte of a body with documents, all in it or not; a zstd frame begins with another."""
_HEADER = struct.Struct(">BHI")
_MARK = BLOB_MARK.encode()

Row = Record
"""A row with ``rt``, ``uid``, ``ver``, ``pat`` and ``body``."""
Keys = Mapping[KeyName, DataKey]
Listed = bytes | tuple[bytes, bytes]
_LISTED = msgspec.msgpack.Decoder(list[bytes | tuple[bytes, bytes]])


class Whole(NamedTuple):
    """A body to store, and its place: number of its patient (0 for none), type, id, version."""

    place: Place
    body: bytes


class Packed(NamedTuple):
    """The stored form of a body, and the names of its files."""

    body: bytes
    blobs: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class _Cut:
    place: Place
    rest: bytes
    contents: Sequence[bytes]


class Bodies:
    """Stores and rebuilds bodies byte for byte."""

    def __init__(self, codec: Codec, blobs: BlobStore, keyring: Keyring) -> None:
        self._codec = codec
        self._blobs = blobs
        self.keyring = keyring
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)
        self._decompressor = zstandard.ZstdDecompressor()

    async def pack(
        self, connection: Connection, bodies: Sequence[Whole]
    ) -> list[Packed | HygieError]:
        """Return the stored form of each body, inside the transaction that writes them.

        Until it ends, the keys that were used are not destroyed. One that holds what only the
        store may write, or whose key cannot be had now, is refused alone.
        """
        cuts = [await _in_turn(len(one.body), _cut, one) for one in bodies]
        patients = {cut.place.patient for cut in cuts if isinstance(cut, _Cut) and cut.contents}
        keys = await self._keys_to_seal(connection, patients)
        return [await self._pack(cut, keys) for cut in cuts]

    async def _keys_to_seal(
        self, connection: Connection, patients: Collection[int]
    ) -> Mapping[int, DataKey] | HygieError:
        if not patients:
            return {}
        try:
            await hold(connection, patients)
            return await self.keyring.latest(patients)
        except Unavailable as error:
            return error

    async def _pack(
        self, cut: _Cut | HygieError, keys: Mapping[int, DataKey] | HygieError
    ) -> Packed | HygieError:
        if isinstance(cut, HygieError):
            return cut
        if not cut.contents:
            return Packed(self._codec.compress(cut.place.rt, cut.rest), ())
        if isinstance(keys, HygieError):
            return keys
        size = sum(map(len, cut.contents))
        return await _in_turn(size, self._seal, cut, keys[cut.place.patient])

    async def keys(self, rows: Sequence[Row]) -> Keys:
        """Return the keys that some rows need, asked for at once.

        Raises:
            Unavailable: the key service does not answer.
        """
        names = {name for row in rows if (name := _key_name(row)) is not None}
        return await self.keyring.find(names) if names else {}

    async def load(self, row: Row, keys: Keys | None = None) -> bytes:
        """Return the body as it was received; a document whose key was destroyed is withheld.

        Args:
            row: what is stored.
            keys: what :meth:`keys` returned for it and others; asked for when None.

        Raises:
            Unavailable: a document is damaged, or the key service does not answer.
        """
        stored: bytes = row["body"]
        if stored[0] > _WITH_FILES:
            body = self._codec.decompress(stored)
            if _MARK not in body:
                return body
            return await asyncio.to_thread(attach_data, body, self._plain)
        name = _key_name(row)
        if keys is None and name is not None:
            keys = await self.keyring.find((name,), epoch=row.get("epoch"))
        key = keys.get(name) if keys and name else None
        size = len(stored) if stored[0] == _SEALED else INLINE_LIMIT
        return await _in_turn(size, self._open, row, key)

    def forget(self, name: bytes) -> None:
        """Destroy a large attachment that no version uses any more."""
        self._blobs.delete(name)

    def _seal(self, cut: _Cut, key: DataKey) -> Packed:
        frame = self._codec.compress(cut.place.rt, cut.rest)
        version = key.name.version
        names: list[bytes] = []
        listed: list[Listed] = []
        for content in cut.contents:
            if len(content) < FILE_LIMIT:
                listed.append(content)
                continue
            digest = key.sealer.hash(content)
            names.append(
                self._blobs.put(
                    key.sealer.seal(content, place=cut.place, version=version, content_hash=digest)
                )
            )
            listed.append((names[-1], digest))
        text = self._compressor.compress(msgspec.msgpack.encode(listed))
        digest = key.sealer.hash(text)
        sealed = key.sealer.seal(text, place=cut.place, version=version, content_hash=digest)
        header = _HEADER.pack(_WITH_FILES if names else _SEALED, version, len(frame))
        return Packed(b"".join((header, frame, digest, sealed)), names)

    def _open(self, row: Row, key: DataKey | None) -> bytes:
        stored: bytes = row["body"]
        end = _HEADER.size + _HEADER.unpack_from(stored)[2]
        rest = self._codec.decompress(stored[_HEADER.size : end])
        if key is None:
            return withhold_data(rest)
        place, version = place_of(row), key.name.version
        digest, sealed = stored[end : end + HASH_BYTES], stored[end + HASH_BYTES :]
        text = key.sealer.unseal(sealed, place=place, version=version, content_hash=digest)
        listed = _LISTED.decode(self._decompressor.decompress(text))

        def fetch(number: str) -> bytes:
            one = listed[int(number)]
            if isinstance(one, bytes):
                return text_of(one)
            name, digest = one
            return text_of(
                key.sealer.unseal(
                    self._blobs.get(name), place=place, version=version, content_hash=digest
                )
            )

        return attach_data(rest, fetch)

    def _plain(self, digest: str) -> bytes:
        return text_of(b"\x00" + self._blobs.get(bytes.fromhex(digest)))


async def _in_turn(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do a large piece of work in a thread: the others must not wait for it."""
    if size < INLINE_LIMIT:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def place_of(row: Row) -> Place:
    """Return where a stored body belongs."""
    return Place(row["pat"] or 0, row["rt"], row["uid"], row["ver"])


def _cut(whole: Whole) -> _Cut | HygieError:
    try:
        rest, contents = cut_data(whole.body)
    except HygieError as error:
        return error
    return _Cut(whole.place, rest, contents)


def _key_name(row: Row) -> KeyName | None:
    stored = row["body"]
    if stored is None or stored[0] > _WITH_FILES:
        return None
    return KeyName(row["pat"] or 0, _HEADER.unpack_from(stored)[1])
