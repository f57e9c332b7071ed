"""Give common names to what two servers cannot have alike: instants and ids they made meanwhile.

Names follow the order of first appearance in an answer, so that which places hold the same id, and
which another, is still compared. Everything that stood in the database before the copy keeps its
bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from hygie.testing.differential.asking import Reply

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_EVENT = re.compile(rb"(?<![0-9a-f])([0-9a-f]{12,14})-[0-9a-f]+(?![0-9a-f-])")
# Places in a list: sealed, so nobody reads them, and made of numbers that every write advances.
_CURSOR = re.compile(rb"((?:_cursor|_before)=)[\w-]+")
# The query of a request in the log, which may hold such a place, or the id of an AuditEvent.
_QUERY = re.compile(rb'("query":")([\w+/=]+)"')
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Names:
    """Names what is newer than ``since``; ``known`` ids, of before the copy, stay."""

    def __init__(self, since: datetime, known: frozenset[str]) -> None:
        self._since = since
        self._known = frozenset(one.encode() for one in known)

    def told(self, reply: Reply) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return an answer as it is compared."""
        headers = tuple(
            (name, self._header(name, value)) for name, value in sorted(reply.headers.items())
        )
        return reply.status, headers, self._text(reply.body)

    def _header(self, name: str, value: str) -> str:
        if name == "last-modified":
            # The header tells whole seconds.
            since = self._since.replace(microsecond=0)
            return "new" if parsedate_to_datetime(value) >= since else value
        if name == "content-length":
            return ""
        return self._text(value.encode("latin-1")).decode("latin-1")

    def _text(self, text: bytes) -> bytes:
        renamed = _UUID.sub(_in_order(b"uuid", lambda one: one not in self._known), text)
        renamed = _QUERY.sub(self._query, _CURSOR.sub(rb"\1<cursor>", renamed))
        renamed = _EVENT.sub(_in_order(b"event", self._is_event), renamed)
        return _INSTANT.sub(lambda match: self._instant(match[0]), renamed)

    def _query(self, match: re.Match[bytes]) -> bytes:
        """Return a query of the log in clear, with the names of what is newer."""
        return match[1] + self._text(base64.b64decode(match[2])) + b'"'

    def _is_event(self, text: bytes) -> bool:
        """Tell whether it is the id of an AuditEvent that was recorded since."""
        at = _EPOCH + int(text.partition(b"-")[0], 16) * _MICROSECOND
        return at >= self._since

    def _instant(self, text: bytes) -> bytes:
        at = datetime.fromisoformat(text.decode())
        return b"new" if at >= self._since else text


def _in_order(name: bytes, renamed: Callable[[bytes], bool]) -> Callable[[re.Match[bytes]], bytes]:
    seen: dict[bytes, bytes] = {}

    def rename(match: re.Match[bytes]) -> bytes:
        if not renamed(match[0]):
            return match[0]
        return seen.setdefault(match[0], b"<%s %d>" % (name, len(seen)))

    return rename
