"""Connections of requests (asyncpg): a few, kept for life, each with its prepared statements."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import asyncpg

from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.database.roles import APP
from hygie.kernel.database.session import SEARCH_PATH
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Setup = Callable[[Connection], Awaitable[None]]

PATIENCE = 5.0
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.8
# What PostgreSQL and the network say while a server stops, is killed, or comes back.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    # asyncpg's own word for a connection that died while it was idle and is asked something.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class Database:
    """A fixed number of dedicated connections under one role.

    Connections are never reset between users, so nothing but transaction-local settings is
    ever set on them. The last one given back is the first one given out: it is warm.
    """

    def __init__(self, dsn: str, *, role: str, size: int, setup: Setup | None = None) -> None:
        self.dsn = dsn
        self.role = role
        self.size = size
        self._setup = setup
        self._free: list[Connection] = []
        self._beside: list[Database] = []
        self._turn = asyncio.Semaphore(size)
        self._closed = False

    @classmethod
    async def open(
        cls, where: Settings | str, *, role: str = APP, size: int = 4, setup: Setup | None = None
    ) -> Database:
        """Connect once, to fail early; the other connections are made when they are needed.

        Args:
            where: settings, or a connection string.
            role: the role each session takes at its start.
            size: how many connections at most.
            setup: called on each new connection, for type codecs.

        Raises:
            Unavailable: the database did not answer within five seconds.
        """
        dsn = server.dsn(where) if isinstance(where, Settings) else where
        database = cls(dsn, role=role, size=size, setup=setup)
        async with database.connection():
            return database

    def beside(self, *, role: str, size: int) -> Database:
        """Return connections under another role, made when needed and closed with these."""
        other = Database(self.dsn, role=role, size=size)
        self._beside.append(other)
        return other

    async def close(self) -> None:
        """Close the connections; those in use close when they are given back."""
        self._closed = True
        for other in self._beside:
            await other.close()
        while self._free:
            await self._free.pop().close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection.

        Raises:
            Unavailable: no connection could be made in five seconds, or it broke during its use.
        """
        async with self._turn:
            connection = await self._take()
            try:
                yield connection
            except LOST as error:
                connection.terminate()
                raise Unavailable(
                    "The database went away during the request; it was not confirmed. Read again "
                    "before you repeat a write."
                ) from error
            except asyncpg.InterfaceError as error:
                if not connection.is_closed():
                    raise
                raise Unavailable("The connection to the database was lost; retry.") from error
            finally:
                await self._give_back(connection)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, parties: Iterable[int] = (), system: bool = False
    ) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction that row-level security sees as these parties.

        BEGIN and the belt's settings (``hygie.system``, ``hygie.parties``, local to the
        transaction) are one round trip, COMMIT is another.
        """
        async with self.connection() as connection:
            await connection.execute(begin(parties, system=system))
            try:
                yield connection
            except BaseException:
                await _roll_back(connection)
                raise
            await connection.execute("COMMIT")

    async def _take(self) -> Connection:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return await self._connect()

    async def _give_back(self, connection: Connection) -> None:
        if not connection.is_closed() and connection.is_in_transaction():
            await _roll_back(connection)
        if connection.is_closed():
            return
        if self._closed:
            await connection.close()
        else:
            self._free.append(connection)

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        limit = loop.time() + PATIENCE
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._connect_once(limit - loop.time())
            except LOST as error:
                if loop.time() + pause >= limit:
                    raise Unavailable(
                        "The database does not answer; retry in a few seconds."
                    ) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _connect_once(self, patience: float) -> Connection:
        connection: Connection = await asyncpg.connect(
            self.dsn,
            timeout=max(patience, FIRST_PAUSE),
            # Dedicated connections: plans are prepared once and kept.
            statement_cache_size=1024,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=256 * 1024,
            server_settings={
                "role": self.role,
                "search_path": SEARCH_PATH,
                "application_name": "hygie",
                "jit": "off",
            },
        )
        if self._setup is not None:
            await self._setup(connection)
        return connection


def begin(
    parties: Iterable[int] = (),
    *,
    system: bool = False,
    snapshot: bool = False,
    rights: Iterable[str] = (),
) -> str:
    """Return the statements that open a transaction under the belt.

    With ``snapshot`` all its statements see the database of its first one. ``rights`` are those of
    the caller's account, for tables that one of them opens.

    >>> begin([7, 12])
    "BEGIN; SET LOCAL hygie.system = 'off'; SET LOCAL hygie.parties = '{7,12}'"
    """
    numbers = ",".join(str(int(party)) for party in parties)
    names = ",".join(sorted(one for one in rights if one.isalpha()))
    held = f"; SET LOCAL hygie.rights = '{{{names}}}'" if names else ""
    return (
        f"BEGIN{' ISOLATION LEVEL REPEATABLE READ' if snapshot else ''}; "
        f"SET LOCAL hygie.system = '{'on' if system else 'off'}'; "
        f"SET LOCAL hygie.parties = '{{{numbers}}}'{held}"
    )


async def _roll_back(connection: Connection) -> None:
    """Undo, or cut the connection where even that fails: no state may reach the next user."""
    try:
        await asyncio.wait_for(connection.execute("ROLLBACK"), PATIENCE)
    except (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError, asyncio.CancelledError):
        connection.terminate()
