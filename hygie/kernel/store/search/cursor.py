"""Cursors of paging links: where the page before ended.

A page goes on after the last values of the sort keys, so that pages neither repeat nor skip while
resources come and go. A cursor also carries the highest key that matched at the moment of the first
page: resources created since do not appear, and the total stays what it was. Nothing in it depends
on what the caller may not see.
"""

from __future__ import annotations

import base64
from datetime import datetime
from decimal import Decimal

import msgspec

from hygie.kernel.errors import InvalidRequest

LARGEST = 2**63 - 1

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


def encode(cursor: Cursor) -> str:
    """Return the cursor as it stands in a link."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode().rstrip("=")


def decode(text: str, *, keys: int) -> Cursor:
    """Return the cursor of a link made for a search with so many sort keys.

    Raises:
        InvalidRequest: it is not a cursor of this search.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = msgspec.msgpack.decode(raw, type=Cursor)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidRequest("The paging link is damaged; repeat the search.") from error
    if max(map(abs, (cursor.key, cursor.limit, cursor.total or 0))) > LARGEST or any(
        "\0" in value for value in cursor.values if value is not None
    ):
        raise InvalidRequest("The paging link is damaged; repeat the search.")
    if len(cursor.values) != keys:
        raise InvalidRequest("The paging link belongs to another search; repeat the search.")
    return cursor
