"""Follow references: conditional ones are resolved, the others are checked to lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from hygie.kernel.errors import HygieError, Issue
from hygie.kernel.fhir.names import RESOURCE_TYPES, type_number
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store.conditional import read_criteria
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.loading.items import Group, Item
from hygie.kernel.store.loading.report import Problem

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.repository import Repository

MOST_OPEN = 200_000
"""Targets remembered as not yet seen; further ones are not checked."""
MOST_KNOWN = 500_000

_references = re.compile(rb'"reference"\s*:\s*"([^"\\#][^"\\]*)"').findall
_conditional = re.compile(rb'"reference"\s*:\s*("[A-Z][A-Za-z]+\?(?:[^"\\]|\\.)*")').findall
_LITERAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")
_PRESENT = """
SELECT a.n FROM unnest($1::smallint[], $2::uuid[]) WITH ORDINALITY AS a (rt, uid, n)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid AND NOT k.deleted
"""


class _Identifier(msgspec.Struct):
    system: str = ""
    value: str = ""


class _Identified(msgspec.Struct):
    identifier: list[_Identifier] | _Identifier = []


def targets_of(raw: bytes) -> set[bytes]:
    """Return where a resource points to: its references but those to its own contained ones."""
    return set(_references(raw))


def conditional_references(raw: bytes) -> set[str]:
    """Return the references written as a search, ``Practitioner?identifier=...``."""
    return {msgspec.json.decode(text, type=str) for text in _conditional(raw)}


class Conditions:
    """Finds the one resource that a search such as ``Practitioner?identifier=...`` selects."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._found: dict[str, str] = {}

    async def resolve(self, wanted: Collection[str], group: Group | None = None) -> dict[str, str]:
        """Return the references of those that select one resource, in the group or the store."""
        near = _identifiers(group) if wanted and group else {}
        found: dict[str, str] = {}
        for text in wanted:
            target = near.get(text) or self._found.get(text) or await self._search(text)
            if target is not None:
                found[text] = target
        return found

    async def _search(self, text: str) -> str | None:
        rt, _, query = text.partition("?")
        try:
            pairs = [*read_criteria(query), ("_count", "2"), ("_total", "none")]
            page = await self._repository.search(SYSTEM, rt, pairs)
        except HygieError:
            return None
        if len(page.entries) != 1:
            return None
        self._found[text] = page.entries[0].stored.reference
        return self._found[text]


def _identifiers(group: Group) -> dict[str, str]:
    """Return what ``Type?identifier=system|value`` selects among the resources of a group."""
    found: dict[str, str] = {}
    for item in group.items:
        try:
            given = msgspec.json.decode(item.raw, type=_Identified).identifier
        except msgspec.MsgspecError:
            continue
        for one in given if isinstance(given, list) else [given]:
            found[f"{item.rt}?identifier={one.system}|{one.value}"] = f"{item.rt}/{item.rid}"
    return found


class Targets:
    """Literal references met by a load whose target has not been seen."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._open: dict[str, tuple[str, Item]] = {}

    async def follow(
        self, connection: Connection, entries: Iterable[tuple[str, Item, Collection[bytes]]]
    ) -> None:
        """Note the targets of entries that were just loaded: (source, item, references)."""
        fresh: dict[str, tuple[str, Item]] = {}
        for source, item, references in entries:
            own = f"{item.rt}/{item.rid}"
            self._known.add(own)
            self._open.pop(own, None)
            for reference in references:
                literal = _LITERAL.fullmatch(reference.decode())
                if literal and literal[1] in RESOURCE_TYPES:
                    fresh.setdefault(f"{literal[1]}/{literal[2]}", (source, item))
        await self._look_up(connection, fresh)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()

    async def finish(self, connection: Connection) -> list[Problem]:
        """Return a warning for each target that is nowhere, now that all is loaded."""
        still, self._open = self._open, {}
        await self._look_up(connection, still)
        return [
            Problem(
                source,
                item.place,
                f"{item.rt}/{item.rid}",
                [unresolved(target, "leads to nothing that is stored here.")],
            )
            for target, (source, item) in self._open.items()
        ]

    async def _look_up(
        self, connection: Connection, wanted: Mapping[str, tuple[str, Item]]
    ) -> None:
        texts = [text for text in wanted if text not in self._known and text not in self._open]
        if not texts:
            return
        places = [text.split("/") for text in texts]
        rows = await connection.fetch(
            _PRESENT,
            [type_number(rt) for rt, _ in places],
            [key_of(rid)[0] for _, rid in places],
        )
        present = {row["n"] - 1 for row in rows}
        for place, text in enumerate(texts):
            if place in present:
                self._known.add(text)
            elif len(self._open) < MOST_OPEN:
                self._open[text] = wanted[text]


def unresolved(reference: str, why: str) -> Issue:
    """Return the warning about a reference."""
    return Issue("not-found", f"The reference {reference} {why}", severity="warning")
