"""Bodies on their way in and out: large attachments to the blob store, the rest compressed."""

from __future__ import annotations

import asyncio

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.fhir.splice import attach_data, detach_data
from hygie.kernel.store.codec import Codec

INLINE_LIMIT = 64 * 1024
"""Characters of base64 from which an attachment leaves the body (architecture, 13)."""


class Bodies:
    """Stores and rebuilds bodies byte for byte."""

    def __init__(self, codec: Codec, blobs: BlobStore) -> None:
        self._codec = codec
        self._blobs = blobs

    async def detach(self, body: bytes) -> tuple[bytes, list[bytes]]:
        """Move large attachments to the blob store; return the rest and their digests."""
        if len(body) < INLINE_LIMIT:
            return body, []
        return await asyncio.to_thread(self._detach, body)

    def _detach(self, body: bytes) -> tuple[bytes, list[bytes]]:
        return detach_data(body, INLINE_LIMIT, self._blobs.put)

    def compress(self, rt: int, body: bytes) -> bytes:
        """Return the stored form of a body without large attachments."""
        return self._codec.compress(rt, body)

    async def load(self, stored: bytes) -> bytes:
        """Return the body as it was received, attachments rebuilt."""
        body = self._codec.decompress(stored)
        if b"hygie-blob" not in body:
            return body
        return await asyncio.to_thread(attach_data, body, self._blobs.get)
