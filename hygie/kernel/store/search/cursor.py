"""Cursors of paging links: where the page before ended.

A page goes on after the last values of the sort keys, so that pages neither repeat nor skip while
resources come and go. A cursor also carries the highest key that matched at the moment of the first
page: resources created since do not appear, and the total stays what it was. Nothing in it depends
on what the caller may not see, and it is sealed: keys and sort values tell nothing, and nobody else
can follow the link.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.secret import Sealer

Value = datetime | Decimal | str | None


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where to go on.

    ``values`` are the sort values of the last entry as text, ``key`` its key, ``limit`` the highest
    key that matched when the first page was made, ``total`` the total it told.
    """

    values: tuple[str | None, ...]
    key: int
    limit: int
    total: int | None = None


def encode(cursor: Cursor, sealer: Sealer, *, reader: str) -> str:
    """Return the cursor as it stands in a link; ``reader`` is who may follow it, and where to."""
    return sealer.seal(msgspec.msgpack.encode(cursor), reader=reader)


def decode(text: str, sealer: Sealer, *, reader: str, keys: int) -> Cursor:
    """Return the cursor of a link made for the same reader and a search with so many sort keys.

    Raises:
        InvalidRequest: it is not a cursor of this search, or of this caller.
    """
    try:
        cursor = msgspec.msgpack.decode(sealer.open(text, reader=reader), type=Cursor)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidRequest(
            "The paging link is damaged, or belongs to another search or account; repeat the "
            "search."
        ) from error
    if len(cursor.values) != keys:
        raise InvalidRequest("The paging link belongs to another search; repeat the search.")
    return cursor
