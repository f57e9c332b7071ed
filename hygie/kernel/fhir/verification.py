"""Who vouches for a professional: one mark on Practitioner, for every domain that writes one.

A professional is verified by the national directory, by Pro Santé Connect or by a CPS card. What
nobody vouches for is shown as such, and never to the public (ADR 0031).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, cast, get_args

Json = dict[str, Any]
Source = Literal["annuaire", "pro-sante-connect", "cps"]

VERIFICATION = "https://hygie.example.org/fhir/StructureDefinition/verification"
STANDS = timedelta(days=30)
"""How long a mark is left as it is: telling a newer day at each sign-in would say nothing more."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The source that vouches for a professional, and the day it last did."""

    source: Source
    on: date


def verification_of(practitioner: Json) -> Verification | None:
    """Return who vouched last for a Practitioner, None where nobody does.

    >>> verification_of({"resourceType": "Practitioner"}) is None
    True
    """
    return max(verifications_of(practitioner), key=lambda one: one.on, default=None)


def verifications_of(practitioner: Json) -> list[Verification]:
    """Return everybody who vouches for a Practitioner, each source once."""
    found = (_read(one) for one in practitioner.get("extension", []) if _is_mark(one))
    return [one for one in found if one is not None]


def verified(practitioner: Json, source: Source, *, on: date) -> Json:
    """Return a Practitioner for whom a source vouches on a day; a recent mark of it may stand.

    >>> one = verified({"resourceType": "Practitioner"}, "cps", on=date(2026, 5, 3))
    >>> verification_of(one)
    Verification(source='cps', on=datetime.date(2026, 5, 3))
    """
    held = practitioner.get("extension", [])
    read = {place: _read(one) for place, one in enumerate(held) if _is_mark(one)}
    own = {place: one for place, one in read.items() if one is None or one.source == source}
    if any(one is not None and on - one.on < STANDS for one in own.values()):
        return practitioner
    others = [one for place, one in enumerate(held) if place not in own]
    return {**practitioner, "extension": [*others, _mark(source, on)]}


def without_verification(practitioner: Json) -> Json:
    """Return a Practitioner for whom nobody vouches any more."""
    others = [one for one in practitioner.get("extension", []) if not _is_mark(one)]
    rest = {name: value for name, value in practitioner.items() if name != "extension"}
    return {**rest, "extension": others} if others else rest


def _is_mark(extension: Json) -> bool:
    return extension.get("url") == VERIFICATION


def _read(extension: Json) -> Verification | None:
    parts = {one.get("url"): one for one in extension.get("extension", [])}
    source = parts.get("source", {}).get("valueCode")
    if source not in get_args(Source):
        return None
    try:
        day = date.fromisoformat(parts.get("on", {}).get("valueDate", ""))
    except ValueError:
        return None
    return Verification(cast("Source", source), day)


def _mark(source: Source, on: date) -> Json:
    return {
        "url": VERIFICATION,
        "extension": [
            {"url": "source", "valueCode": source},
            {"url": "on", "valueDate": on.isoformat()},
        ],
    }
