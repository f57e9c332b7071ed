"""Find professionals and structures: by name, number, profession, specialty and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import msgspec

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.fhir.merging import is_running, practised
from hygie.domains.annuaire.fhir.reading import Place, Professional, Role, place, professional, role
from hygie.domains.annuaire.model.numbers import is_finess, is_rpps
from hygie.domains.annuaire.service.asking import (
    NOTHING_READ,
    Asked,
    Pairs,
    Understood,
    read,
    role_filters,
)
from hygie.domains.annuaire.service.reads import (
    MOST,
    bodies,
    by_id,
    location_of,
    places_of,
    practitioner_of,
)
from hygie.kernel.errors import NotFound
from hygie.kernel.store import Visit
from hygie.kernel.store.likeness import names_like

Json = dict[str, Any]
PAGE = 20
"""Results on one page."""


@dataclass(frozen=True, slots=True)
class Match:
    """One professional of an answer, with what is practised where."""

    who: Professional
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of professionals.

    Attributes:
        matches: the best fit first where a name was typed.
        structures: structures whose name or number was typed.
        words: how the question was read.
        after: what asks for the next page, empty on the last one.
        cut: whether more names fit than are compared: a longer name is needed.
    """

    matches: tuple[Match, ...] = ()
    structures: tuple[Place, ...] = ()
    words: Understood = NOTHING_READ
    after: str = ""
    cut: bool = False


async def find(visit: Visit, asked: Asked, *, language: str, on: date) -> Answer:
    """Return one page of the professionals who are asked for.

    Raises:
        InvalidRequest: the name says too little, or a field cannot be read.
    """
    words = read(asked)
    if asked.is_empty or words.unknown:
        return Answer(words=words)
    text = "".join(asked.text.split())
    if is_finess(text):
        found = await bodies(visit, "Organization", [("identifier", f"{systems.FINESS}|{text}")])
        return Answer(structures=tuple(place(one) for one in found), words=words)
    if not asked.text:
        return await _by_filters(visit, asked, words, language=language, on=on)
    people = await _named(visit, asked, text)
    ranked = people[_offset(asked) :]
    filters = role_filters(asked, words)
    roles = await _roles(visit, ranked if filters else ranked[:PAGE], filters, on=on)
    chosen, last = _page(ranked, roles, everybody=not filters)
    answer = Answer(
        await _matches(visit, chosen, roles, language=language),
        words=words,
        after=str(_offset(asked) + last) if last < len(ranked) else "",
        cut=len(people) == MOST,
    )
    only_name = not filters and not _offset(asked)
    return replace(answer, structures=await _structures(visit, asked)) if only_name else answer


async def who_is(
    visit: Visit, rid: str, *, language: str, on: date
) -> tuple[Professional, tuple[Role, ...]]:
    """Return one professional with what is practised where.

    Raises:
        NotFound: nobody has this id, or they left.
    """
    body = (await by_id(visit, "Practitioner", [rid])).get(rid)
    if body is None or body.get("active") is False:
        raise NotFound("The directory names nobody so.")
    roles = await _roles(visit, [rid], [], on=on)
    (match,) = await _matches(visit, [rid], roles, language=language)
    return match.who, match.roles


async def structure(
    visit: Visit, rid: str, *, language: str, on: date
) -> tuple[Place, tuple[Match, ...]]:
    """Return one structure and the professionals who practise there, fifty at most.

    Raises:
        NotFound: no structure has this id.
    """
    body = (await by_id(visit, "Organization", [rid])).get(rid)
    if body is None:
        raise NotFound("The directory names no such structure.")
    query = [("organization", f"Organization/{rid}"), ("active", "true"), ("_count", "50")]
    held = [one for one in await bodies(visit, "PractitionerRole", query) if _shown(one, on)]
    people = list(dict.fromkeys(practitioner_of(one) for one in held))
    door = await by_id(visit, "Location", [next(map(location_of, held), "")])
    matches = await _matches(visit, people, held, language=language)
    return place(body, next(iter(door.values()), None)), matches


async def _by_filters(
    visit: Visit, asked: Asked, words: Understood, *, language: str, on: date
) -> Answer:
    query = [("active", "true"), *role_filters(asked, words), ("_count", str(PAGE))]
    query += [("_total", "none")] + ([("_cursor", asked.after)] if asked.after else [])
    found = await visit.search("PractitionerRole", query)
    held = [msgspec.json.decode(one.stored.body or b"{}") for one in found.entries]
    held = [one for one in held if _shown(one, on)]
    people = list(dict.fromkeys(practitioner_of(one) for one in held))
    following = parse_qs(found.next or "").get("_cursor", [""])[0]
    matches = await _matches(visit, people, held, language=language)
    return Answer(matches, words=words, after=following)


async def _named(visit: Visit, asked: Asked, text: str) -> list[str]:
    """Return the ids of who has this number or a name like the text, the best fit first."""
    if is_rpps(text):
        query = [("identifier", f"{systems.RPPS}|{text}")]
        return [str(one["id"]) for one in await bodies(visit, "Practitioner", query)]
    return await names_like(visit, "Practitioner", asked.text, most=MOST)


async def _structures(visit: Visit, asked: Asked) -> tuple[Place, ...]:
    ids = await names_like(visit, "Organization", asked.text, most=5, forgiving=False)
    found = await by_id(visit, "Organization", ids)
    return tuple(place(found[one]) for one in ids if one in found)


async def _roles(visit: Visit, people: Sequence[str], filters: Pairs, *, on: date) -> list[Json]:
    if not people:
        return []
    named = ",".join(f"Practitioner/{one}" for one in people)
    query = [("practitioner", named), ("active", "true"), *filters, ("_count", str(MOST))]
    return [one for one in await bodies(visit, "PractitionerRole", query) if _shown(one, on)]


def _page(
    ranked: Sequence[str], roles: Sequence[Json], *, everybody: bool
) -> tuple[list[str], int]:
    """Return the people of one page and how many of the ranked ones were gone through."""
    have = {practitioner_of(one) for one in roles}
    chosen: list[str] = []
    for place_, one in enumerate(ranked):
        if everybody or one in have:
            chosen.append(one)
        if len(chosen) == PAGE:
            return chosen, place_ + 1
    return chosen, len(ranked)


async def _matches(
    visit: Visit, people: Sequence[str], roles: Sequence[Json], *, language: str
) -> tuple[Match, ...]:
    who = await by_id(visit, "Practitioner", people)
    mine = [one for one in roles if practitioner_of(one) in who]
    places = await places_of(visit, mine)
    return tuple(
        Match(
            professional(who[one], language),
            tuple(
                role(held, places[held["id"]], language)
                for held in mine
                if practitioner_of(held) == one
            ),
        )
        for one in people
        if one in who and who[one].get("active") is not False
    )


def _shown(held: Json, on: date) -> bool:
    """Tell whether a role is one of care that runs: a secretary is no professional to look up."""
    return is_running(held, on=on) and bool(practised(held)) and bool(practitioner_of(held))


def _offset(asked: Asked) -> int:
    return int(asked.after) if asked.after.isascii() and asked.after.isdigit() else 0
