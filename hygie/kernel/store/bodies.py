"""Bodies on their way in and out: large attachments to the blob store, the rest compressed."""

from __future__ import annotations

import asyncio

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.errors import Malformed
from hygie.kernel.fhir.rewrite import BLOB_MARK, attach_data, detach_data
from hygie.kernel.store.codec import Codec

INLINE_LIMIT = 64 * 1024
"""Characters of base64 from which an attachment leaves the body (architecture, 13)."""


class Bodies:
    """Stores and rebuilds bodies byte for byte."""

    def __init__(self, codec: Codec, blobs: BlobStore) -> None:
        self._codec = codec
        self._blobs = blobs

    async def detach(self, body: bytes) -> tuple[bytes, list[bytes]]:
        """Move large attachments to the blob store; return the rest and their digests.

        Raises:
            Malformed: the body holds what only the store may write.
        """
        if len(body) < INLINE_LIMIT:
            return self.detach_now(body)
        return await asyncio.to_thread(self.detach_now, body)

    def detach_now(self, body: bytes) -> tuple[bytes, list[bytes]]:
        """Do the same at once, for the loader that has a thread of its own."""
        if BLOB_MARK.encode() in body:
            raise Malformed(f"The text {BLOB_MARK} cannot stand in a resource; change it.")
        if len(body) < INLINE_LIMIT:
            return body, []
        rest, blobs = detach_data(body, INLINE_LIMIT)
        return rest, [self._blobs.put(content) for _, content in blobs]

    def compress(self, rt: int, body: bytes) -> bytes:
        """Return the stored form of a body without large attachments."""
        return self._codec.compress(rt, body)

    async def load(self, stored: bytes) -> bytes:
        """Return the body as it was received, attachments rebuilt."""
        body = self._codec.decompress(stored)
        if BLOB_MARK.encode() not in body:
            return body
        return await asyncio.to_thread(attach_data, body, self._fetch)

    def _fetch(self, placeholder: str) -> bytes:
        return self._blobs.get(bytes.fromhex(placeholder.removeprefix(BLOB_MARK)))
