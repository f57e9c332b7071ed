"""Bring the directory up to date with an extraction: streamed, repeatable, with a full report.

Pieces of some hundred people are compared with what stands in the store; what differs is written
by the loader, as the local operator. The same file again writes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hygie.domains.annuaire.fhir import building, merging
from hygie.domains.annuaire.model.entries import Person, Remark, Structure
from hygie.domains.annuaire.service import extractions
from hygie.domains.annuaire.service.comparing import Comparing
from hygie.domains.annuaire.service.extractions import Reading, Tell
from hygie.kernel.fhir.verification import verifications_of, without_verification
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.kernel.store.loading import LoadReport, Problem, load
from hygie.kernel.store.loading.items import Group, Item

Json = dict[str, Any]
T = TypeVar("T")
PIECE = 400
"""People, or structures, compared with the store at once."""
ALWAYS = 20
MOST_SHARE = 0.05
"""Share of the known professionals whom one extraction may end: a file cut short would end all."""


@dataclass(slots=True)
class Outcome:
    """What an import did.

    Attributes:
        lines: lines of data read.
        taken: lines taken.
        refused: lines left out, each told.
        doubts: lines taken with a remark.
        unchanged: resources that stood so already.
        loaded: what was written.
        absent: known professionals whom the extraction does not name.
        ended: whether what they practised was ended.
    """

    lines: int = 0
    taken: int = 0
    refused: int = 0
    doubts: int = 0
    unchanged: int = 0
    loaded: LoadReport = field(default_factory=LoadReport)
    absent: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """One import.

    Attributes:
        path: the extraction.
        on: its day.
        complete: whether whoever is not in it practises no more.
        accept_endings: whether it may end more than ``MOST_SHARE`` of the professionals.
    """

    path: Path
    on: date
    complete: bool = True
    accept_endings: bool = False


async def import_extraction(repository: Repository, wish: Wish, *, tell: Tell) -> Outcome:
    """Import one extraction; refused lines are told and never stop the others.

    Raises:
        InvalidRequest: the file is none that is read.
    """
    outcome = Outcome()

    def remark(one: Remark) -> None:
        if one.refused:
            outcome.refused += 1
        else:
            outcome.doubts += 1
        tell(one)

    kind = extractions.kind_of(wish.path)
    reading = Reading(remark, wish.on)
    comparing = Comparing(repository, wish.on)
    source = _Source(wish, kind, reading, comparing, asyncio.get_running_loop())
    problems: list[Problem] = []
    outcome.loaded = await load(repository, [source], report=problems.append)
    for problem in problems:
        words = "; ".join(
            f"{issue.expression or ''} {issue.diagnostics}" for issue in problem.issues
        )
        tell(Remark(0, f"{problem.reference}: {words}", refused=problem.refused))
    outcome.lines, outcome.taken = reading.lines, reading.taken
    outcome.unchanged = comparing.unchanged
    if wish.complete and kind == extractions.ACTIVITIES:
        await _end_absent(repository, wish, comparing, outcome)
    return outcome


@dataclass(slots=True)
class _Source:
    """The extraction as the loader reads it: pieces compared with the store, then what differs."""

    wish: Wish
    kind: str
    reading: Reading
    comparing: Comparing
    loop: asyncio.AbstractEventLoop
    identity: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def name(self) -> str:
        return self.wish.path.name

    @property
    def weight(self) -> int:
        return max(self.wish.path.stat().st_size, 1)

    def groups(self, start: int) -> Iterator[Group]:
        """Yield what differs; called in a thread, so that the loop answers the comparisons."""
        del start
        place, digest = 0, _digest(self.wish.path)
        with extractions.opened(self.wish.path) as text:
            if self.kind == extractions.FINESS:
                pieces: Iterable[list[Any]] = _pieces(self.reading.structures(text))
            else:
                pieces = _pieces(self.reading.people(text))
            for piece in pieces:
                resources = self._ask(piece)
                if resources:
                    resources.append(_provenance(resources, self.wish, digest))
                group = Group(place + len(resources), 0.5)
                for offset, body in enumerate(resources):
                    raw = msgspec.json.encode(body)
                    group.items.append(
                        Item(place + offset, body["resourceType"], body["id"], raw, group.links)
                    )
                place = group.after
                yield group

    def _ask(self, piece: list[Person] | list[Structure]) -> list[Json]:
        work = (
            self.comparing.structures([one for one in piece if isinstance(one, Structure)])
            if self.kind == extractions.FINESS
            else self.comparing.people([one for one in piece if isinstance(one, Person)])
        )
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()


def _pieces(stream: Iterator[T]) -> Iterator[list[T]]:
    while piece := list(islice(stream, PIECE)):
        yield piece


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _provenance(resources: list[Json], wish: Wish, digest: str) -> Json:
    """Return who changed these resources, and from which file."""
    targets = [f"{one['resourceType']}/{one['id']}" for one in resources]
    return {
        "resourceType": "Provenance",
        "id": building.derived_id("Provenance", digest, *targets),
        "target": [{"reference": one} for one in targets],
        "occurredDateTime": wish.on.isoformat(),
        "recorded": f"{wish.on.isoformat()}T00:00:00Z",
        "activity": {"text": "Import of an extraction of the national directory"},
        "agent": [{"who": {"display": "Hygie, hygie annuaire import"}}],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {
                        "system": "urn:ietf:rfc:6920",
                        "value": f"ni:///sha-256;{digest}",
                    },
                    "display": wish.path.name,
                },
            }
        ],
    }


async def _end_absent(
    repository: Repository, wish: Wish, comparing: Comparing, outcome: Outcome
) -> None:
    """End what those practise whom the directory vouched for and names no more."""
    known, absent = 0, list[Json]()
    query = [("_count", "1000"), ("_total", "none"), ("active", "true")]
    async for body in comparing.each("Practitioner", query):
        if all(mark.source != "annuaire" for mark in verifications_of(body)):
            continue
        known += 1
        if body["id"] not in comparing.met:
            absent.append(body)
    outcome.absent = len(absent)
    if len(absent) > max(ALWAYS, known * MOST_SHARE) and not wish.accept_endings:
        return
    outcome.ended = True
    for body in absent:
        ended = merging.without_professions(body, on=wish.on)
        await _update(repository, without_verification(ended))
        roles = [("practitioner", f"Practitioner/{body['id']}"), ("_count", "200")]
        async for held in comparing.each("PractitionerRole", roles):
            if merging.practised(held) and merging.is_running(held, on=wish.on):
                await _update(repository, merging.ended_role(held, on=wish.on))


async def _update(repository: Repository, body: Json) -> None:
    raw = msgspec.json.encode(body)
    await repository.update(SYSTEM, body["resourceType"], body["id"], raw)
