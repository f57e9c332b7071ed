"""How frequent tokens are, so that the planner never lets a frequent one drive through GIN."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.clock import Clock

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

FREQUENT_ROWS = 20_000
"""A token in more rows than this filters and never drives; uncalibrated beyond 240,000 rows."""
FRESH = timedelta(seconds=60)

# PostgreSQL's own statistics of array elements, kept by ANALYZE (pg_stats.most_common_elems).
_REFRESH = """
INSERT INTO token_stat (token, rows)
SELECT e.token, (e.frequency * c.reltuples)::bigint
FROM pg_stats s
JOIN pg_class c ON c.oid = 'hygie.resource'::regclass
CROSS JOIN LATERAL unnest(s.most_common_elems::text::bigint[], s.most_common_elem_freqs)
  AS e (token, frequency)
WHERE s.schemaname = 'hygie' AND s.tablename = 'resource' AND s.attname = 'toks'
  AND e.token IS NOT NULL AND c.reltuples > 0
ON CONFLICT (token) DO UPDATE SET rows = excluded.rows
"""


async def refresh(connection: Connection) -> None:
    """Copy PostgreSQL's element statistics into ``token_stat``; a role that sees them is needed."""
    await connection.execute(_REFRESH)


class FrequentTokens:
    """The frequent tokens, read again every minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: frozenset[int] = frozenset()
        self._read: datetime | None = None

    async def load(self, connection: Connection) -> frozenset[int]:
        """Return the tokens that stand in more than ``FREQUENT_ROWS`` rows."""
        now = self._clock.now()
        if self._read is None or now - self._read > FRESH:
            rows = await connection.fetch(
                "SELECT token FROM token_stat WHERE rows > $1", FREQUENT_ROWS
            )
            self._tokens = frozenset(row["token"] for row in rows)
            self._read = now
        return self._tokens
