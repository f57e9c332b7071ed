"""A visit: the reads of one page in one snapshot, with one trace per patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.ids import check_id
from hygie.kernel.store.model import Found, Stored
from hygie.kernel.store.search.driver import PLANNED_EACH_TIME, PLANNED_ONCE, names_one
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.searching import Searcher
from hygie.kernel.store.tracing import Touched

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Visit:
    """An open transaction of one caller; what it shows is traced once, before the page leaves.

    Its one connection answers one question at a time.
    """

    connection: Connection
    caller: Caller
    searcher: Searcher
    touched: list[Touched] = field(default_factory=list)
    patient_asked: str | None = None
    """Id of the Patient that a refused read named: the person is told who tried."""
    planned_once: bool = False

    async def search(self, rt: str, query: Pairs) -> Found:
        """Return one page of a search on a type."""
        asked = read_query(rt, query)
        if names_one(asked) != self.planned_once:
            self.planned_once = not self.planned_once
            await self.connection.execute(PLANNED_ONCE if self.planned_once else PLANNED_EACH_TIME)
        found, touched = await self.searcher.within(self.connection, self.caller, asked)
        self.touched += touched
        return found

    async def read(self, rt: str, rid: str) -> Stored:
        """Return the current version of a resource.

        Raises:
            NotFound: nothing visible to the caller is there.
        """
        found = await self.search(rt, [("_id", check_id(rid)), ("_total", "none")])
        if not found.entries:
            self.patient_asked = rid if rt == "Patient" else None
            raise NotFound(f"{rt}/{rid} is not known here.")
        return found.entries[0].stored
