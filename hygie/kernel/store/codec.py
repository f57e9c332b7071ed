"""Bodies in and out of the store: zstd with a dictionary trained for each resource type.

The dictionary id stands in the zstd frame, so that a body stays readable after its type got a new
dictionary. Dictionaries are data of record: they live in table ``body_dictionary``, are backed up
with it and never deleted. Those shipped in ``definitions/dictionaries.tar.xz`` were trained by
``scripts/train_dictionaries.py`` on synthetic people only.
"""

from __future__ import annotations

from collections.abc import Mapping

import zstandard

from hygie.kernel.errors import Unavailable

LEVEL = 3


class Codec:
    """Compresses with the newest dictionary of a type, reads with any it knows."""

    def __init__(self, dictionaries: Mapping[int, tuple[int, bytes]]) -> None:
        """Take ``{dictionary id: (type number, bytes)}``; the highest id of a type is its newest.

        Id 0 means no dictionary.
        """
        self._readers: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}
        self._writers: dict[int, zstandard.ZstdCompressor] = {}
        for number in sorted(dictionaries):
            rt, content = dictionaries[number]
            dictionary = zstandard.ZstdCompressionDict(content)
            dictionary.precompute_compress(level=LEVEL)
            self._readers[number] = zstandard.ZstdDecompressor(dict_data=dictionary)
            self._writers[rt] = _writer(dictionary)
        self._plain = _writer(None)

    def compress(self, rt: int, body: bytes) -> bytes:
        """Return the stored form of a body."""
        return self._writers.get(rt, self._plain).compress(body)

    def decompress(self, stored: bytes) -> bytes:
        """Return the body.

        Raises:
            Unavailable: the dictionary it needs is not in the database.
        """
        number = zstandard.get_frame_parameters(stored).dict_id
        reader = self._readers.get(number)
        if reader is None:
            raise Unavailable(f"Compression dictionary {number} is missing; restore the database.")
        return reader.decompress(stored)


def _writer(dictionary: zstandard.ZstdCompressionDict | None) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(
        level=LEVEL, dict_data=dictionary, write_checksum=False, write_content_size=True
    )
