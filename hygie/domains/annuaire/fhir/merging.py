"""What stands in the store, brought up to date with what an extraction says.

An extraction owns the identifiers, the name, the professions, the know-how and the places it
names. Everything else stays: roles of Hygie's own, delegations, mailboxes, labels, other marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.fhir.reading import codes_of
from hygie.kernel.fhir.search.fold import fold

Json = dict[str, Any]
_SERVER = ("versionId", "lastUpdated")
_OWNED = frozenset({systems.PROFESSIONS, systems.SPECIALTIES})


def plain(body: Json) -> Json:
    """Return a stored resource without what the server writes in ``meta``."""
    meta = {name: value for name, value in body.get("meta", {}).items() if name not in _SERVER}
    rest = {name: value for name, value in body.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def person(held: Json, wanted: Json, *, on: date) -> Json:
    """Return a Practitioner of the store as the extraction of a day says."""
    return {
        **held,
        "meta": _meta(held, wanted),
        "active": True,
        "identifier": _identifiers(held, wanted),
        "name": _names(held, wanted),
        "qualification": _qualifications(held, wanted["qualification"], on=on),
    }


def without_professions(held: Json, *, on: date) -> Json:
    """Return a Practitioner who practises no profession any more."""
    return {**held, "qualification": _qualifications(held, [], on=on)}


def structure(held: Json, wanted: Json) -> Json:
    """Return an Organization or a Location of the store as the extraction says."""
    kept = {name: value for name, value in wanted.items() if name not in {"id", "meta"}}
    found = {**held, **kept, "meta": _meta(held, wanted)}
    if "identifier" in wanted:
        found["identifier"] = _identifiers(held, wanted)
    if "type" in wanted:
        own = {system for one in wanted["type"] for system, _ in codes_of([one])}
        others = [
            one
            for one in held.get("type", [])
            if not own & {system for system, _ in codes_of([one])}
        ]
        found["type"] = [*others, *wanted["type"]]
    return {name: value for name, value in found.items() if value != {}}


def role(held: Json, wanted: Json) -> Json:
    """Return a PractitionerRole of the store as the extraction says, running again if it ended."""
    known = set(codes_of(wanted["code"]))
    own = {systems.PROFESSIONS, systems.MODES}
    others = [
        one
        for one in held.get("code", [])
        if not {system for system, _ in codes_of([one])} & own or set(codes_of([one])) <= known
    ]
    fresh = [one for one in wanted["code"] if not set(codes_of([one])) <= set(codes_of(others))]
    found = {**held, "meta": _meta(held, wanted), "active": True, "code": [*others, *fresh]}
    for name in ("specialty", "organization", "location"):
        if name in wanted and not _says_as_much(held.get(name), wanted[name], name):
            found[name] = wanted[name]
    if "extension" not in held and "end" in held.get("period", {}):
        found["period"] = {name: day for name, day in held["period"].items() if name != "end"}
    return {name: value for name, value in found.items() if value != {}}


def _says_as_much(held: Any, wanted: Any, name: str) -> bool:
    """Tell whether what stands names the same codes, or a place where one stands already."""
    if name == "specialty":
        return set(codes_of(held or [])) == set(codes_of(wanted))
    return bool(held)


def ended_role(held: Json, *, on: date) -> Json:
    """Return a role that is practised no more.

    Where it holds a role of Hygie's own or a delegation too, the profession alone goes.
    """
    others = [one for one in held.get("code", []) if not _is_owned(one)]
    if not others and "extension" not in held:
        return {**held, "active": False, "period": _ended(held.get("period", {}), on)}
    rest = {name: value for name, value in held.items() if name != "code"}
    return {**rest, "code": others} if others else rest


def is_running(held: Json, *, on: date) -> bool:
    """Tell whether a resource is active and its period has not ended before a day."""
    end = str(held.get("period", {}).get("end", ""))
    return held.get("active") is not False and (not end or end[:10] > on.isoformat())


def practised(held: Json) -> set[str]:
    """Return the professions of TRE_G15 of a role."""
    return {
        code for system, code in codes_of(held.get("code", [])) if system == systems.PROFESSIONS
    }


def _is_owned(concept: Json) -> bool:
    return any(system in {*_OWNED, systems.MODES} for system, _ in codes_of([concept]))


def _meta(held: Json, wanted: Json) -> Json:
    """Return the labels and profiles of both; of communes, those of the extraction."""
    meta = dict(held.get("meta", {}))
    tags = wanted.get("meta", {}).get("tag", [])
    if tags:
        others = [one for one in meta.get("tag", []) if one.get("system") != systems.COMMUNES]
        meta["tag"] = [*others, *tags]
    return meta


def _identifiers(held: Json, wanted: Json) -> list[Json]:
    has = {(one.get("system"), one.get("value")) for one in held.get("identifier", [])}
    fresh = [one for one in wanted["identifier"] if (one["system"], one["value"]) not in has]
    return [*held.get("identifier", []), *fresh]


def _names(held: Json, wanted: Json) -> list[Json]:
    """Return the name of the extraction, and the others; the same name said better stays."""
    own = wanted["name"][0]
    said = [
        one
        for one in held.get("name", [])
        if fold(one.get("family", "")) == fold(own["family"])
        and fold(" ".join(one.get("given", []))) == fold(" ".join(own["given"]))
    ]
    others = [one for one in held.get("name", []) if one.get("use") not in {None, "official"}]
    return held["name"] if said else [own, *others]


def _qualifications(held: Json, wanted: Iterable[Json], *, on: date) -> list[Json]:
    now = [pair for one in wanted for pair in codes_of([one["code"]])]
    kept = [_kept(one, set(now), on) for one in held.get("qualification", [])]
    has = {
        pair
        for one in kept
        if "end" not in one.get("period", {})
        for pair in codes_of([one["code"]])
    }
    fresh = [one for one in wanted if not set(codes_of([one["code"]])) <= has]
    return [*kept, *fresh]


def _kept(qualification: Json, now: set[tuple[str, str]], on: date) -> Json:
    codes = [pair for pair in codes_of([qualification.get("code", {})]) if pair[0] in _OWNED]
    if not codes or set(codes) & now or "end" in qualification.get("period", {}):
        return qualification
    return {**qualification, "period": _ended(qualification.get("period", {}), on)}


def _ended(period: Mapping[str, Any], on: date) -> Json:
    """Return a period whose last day is the one before the extraction that names it no more."""
    return {**period, "end": (on - timedelta(days=1)).isoformat()}
