"""Each structure is a controller: its register, its texts, its notice, its retention clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.rights.fhir.lines import text_of
from hygie.domains.rights.model.measures import Measure, measures, switched_on
from hygie.domains.rights.model.register import Activity, Flow, activities
from hygie.domains.rights.model.retention import MAJORITY, Period, table
from hygie.kernel.config import Settings
from hygie.kernel.errors import Forbidden, InvalidRequest, NotFound
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Record

PARTS = ("contact", "dpo", "notice", "necessity", "risks", "opinion")
"""Texts a structure writes itself; the others are made from tables and settings."""
LONGEST = 5_000
PLATFORM = "Organization/-"
"""Stands for the installation where no structure is named."""
AHEAD = {"soon": 1, "later": 5}
"""Years ahead that the retention clock looks."""
# Patients of a structure with the year of their last care; counts only leave this statement.
_LAST_CARE = """
SELECT structure, year, minor, count(*) AS patients FROM (
  SELECT r.structure, r.pat, extract(year FROM max(r.d))::integer AS year,
    bool_or(b.birth IS NOT NULL AND r.d < b.birth + make_interval(years => $2)) AS minor
  FROM resource r
  LEFT JOIN LATERAL (SELECT n.d AS birth FROM resource n
    WHERE n.pat = r.pat AND n.rt = $1 LIMIT 1) AS b ON TRUE
  WHERE r.pat IS NOT NULL AND r.rt <> $1 AND r.d IS NOT NULL AND r.d <= now()
  GROUP BY r.structure, r.pat) AS each
GROUP BY structure, year, minor
"""
_NAMES = "SELECT num, uid, rid FROM party WHERE num = ANY ($1::integer[])"


@dataclass(frozen=True, slots=True)
class Controller:
    """A structure that keeps data; ``reference`` is ``PLATFORM`` where none is named."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Register:
    """The register of processing of one controller (GDPR, article 30)."""

    controller: Controller
    activities: Sequence[tuple[Activity, Period]]
    measures: Sequence[Measure]
    flows: Sequence[tuple[Flow, bool]]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clock:
    """How many files of a controller reach the end of their period; counts only.

    Attributes:
        controller: reference of the structure.
        patients: files it holds.
        over: files whose period is over.
        soon: files whose period ends within a year.
        later: files whose period ends within five years.
    """

    controller: str
    patients: int
    over: int
    soon: int
    later: int


async def controllers(repository: Repository, caller: Caller) -> list[Controller]:
    """Return the structures that are controllers, by name; the installation itself where none is.

    Raises:
        Forbidden: the caller administers nothing.
    """
    check_administers(caller)
    request = Request("search-type")
    found = await repository.search(caller, "Organization", [("_count", "500")], request=request)
    named = []
    for entry in found.entries:
        resource = msgspec.json.decode(entry.stored.body or b"{}")
        named.append(Controller(entry.stored.reference, text_of(resource.get("name"))))
    return sorted(named, key=lambda one: one.name) or [Controller(PLATFORM, "Hygie")]


async def register(
    repository: Repository, caller: Caller, reference: str, *, settings: Settings, at: date
) -> Register:
    """Return the register of one controller, from the tables and what the installation does.

    Raises:
        NotFound: there is no such structure.
    """
    mine = [one for one in await controllers(repository, caller) if one.reference == reference]
    if not mine:
        raise NotFound("There is no such structure here.")
    periods = table()
    lines = [
        (activity, periods.value(activity.retention, at=at))
        for activity in activities().holding(at).values()
    ]
    return Register(
        mine[0],
        lines,
        measures(settings),
        switched_on(settings, at=at),
        await texts(repository, reference),
    )


async def texts(repository: Repository, reference: str) -> dict[str, str]:
    """Return what a structure wrote itself, by part."""
    async with repository.database.transaction() as connection:
        rows = await connection.fetch(
            "SELECT part, body FROM controller_text WHERE controller = $1", reference
        )
    return {row["part"]: row["body"] for row in rows}


async def notices(repository: Repository) -> list[dict[str, str]]:
    """Return, for each structure that wrote any, its contact, its officer and its own notice."""
    async with repository.database.transaction() as connection:
        rows = await connection.fetch(
            "SELECT controller, part, body FROM controller_text WHERE part = ANY ($1::text[]) "
            "ORDER BY controller",
            PARTS[:3],
        )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["controller"], {})[row["part"]] = row["body"]
    return list(found.values())


async def write_text(
    repository: Repository, caller: Caller, reference: str, *, part: str, body: str
) -> None:
    """Keep a text of a structure; an empty one removes it.

    Raises:
        InvalidRequest: the part does not exist, or the text is too long.
        Forbidden: the caller administers nothing.
    """
    check_administers(caller)
    if part not in PARTS:
        raise InvalidRequest(f"A text is one of {', '.join(PARTS)}.")
    if len(body) > LONGEST:
        raise InvalidRequest(f"A text has {LONGEST} characters at most.")
    async with repository.database.transaction() as connection:
        if body.strip():
            await connection.execute(
                "INSERT INTO controller_text (controller, part, body, author) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (controller, part) "
                "DO UPDATE SET body = $3, author = $4, updated = now()",
                reference,
                part,
                body.strip(),
                caller.reference,
            )
        else:
            await connection.execute(
                "DELETE FROM controller_text WHERE controller = $1 AND part = $2", reference, part
            )


async def retention_clock(repository: Repository, caller: Caller, *, at: datetime) -> list[Clock]:
    """Return, for each structure, how many files reach the end of their period; counts only.

    A year counts as a whole: a file is over once the year of its last care plus its period is past.

    Raises:
        Forbidden: the caller administers nothing.
    """
    check_administers(caller)
    async with repository.reading(_as_system(caller), Request("operation")) as reading:
        connection = reading.connection
        rows = await connection.fetch(_LAST_CARE, type_number("Patient"), MAJORITY)
        numbers = [row["structure"] for row in rows if row["structure"]]
        named = await connection.fetch(_NAMES, numbers)
    names = {row["num"]: f"Organization/{id_of(row['uid'], row['rid'])}" for row in named}
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        structure = names.get(row["structure"], PLATFORM)
        counts.setdefault(structure, Counter()).update(_due(row, at.date()))
    return [
        Clock(name, found["patients"], found["over"], found["soon"], found["later"])
        for name, found in sorted(counts.items())
    ]


def _due(row: Record, today: date) -> Counter[str]:
    periods = table()
    # A minor's file is kept ten years longer at most: from before 18 to the 28th birthday.
    years = periods.value("care-file", at=today).years
    years += periods.value("care-file-minor", at=today).years - MAJORITY if row["minor"] else 0
    left = row["year"] + years - today.year
    found: Counter[str] = Counter(patients=row["patients"])
    found["over"] = row["patients"] if left < 0 else 0
    for name, years_ahead in AHEAD.items():
        found[name] = row["patients"] if 0 <= left <= years_ahead else 0
    return found


def check_administers(caller: Caller) -> None:
    """Check that the caller administers the installation.

    Raises:
        Forbidden: they do not.
    """
    if caller.kind not in (Kind.ADMINISTRATOR, Kind.SYSTEM):
        raise Forbidden("Only who administers this installation sees its register.")


def _as_system(caller: Caller) -> Caller:
    """Return a caller whose counts cross all records, and whose trace names who asked."""
    return Caller(Kind.SYSTEM, 0, caller.reference, purpose="HOPERAT")
