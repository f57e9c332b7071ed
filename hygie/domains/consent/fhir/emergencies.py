"""Declared emergencies: a Task whose code opens a record for a few hours (FHIR R4, task.html).

``for`` is the patient, ``requester`` the professional who declares for themself,
``reasonCode.text`` the reason, ``location.display`` or the input ``place`` where it happens,
``executionPeriod`` how long. Ending it early writes an earlier ``executionPeriod.end``; nothing
prolongs it.
"""

from __future__ import annotations

from datetime import timedelta, tzinfo
from typing import Any

from msgspec import UNSET

from hygie.domains.consent.fhir.codes import EMERGENCY_ACCESS
from hygie.domains.consent.fhir.elements import Interval, codes_of, party, period, texts
from hygie.domains.consent.model.constants import emergency_length
from hygie.domains.consent.model.emergency import check_reason
from hygie.kernel.errors import Unprocessable
from hygie.kernel.fhir.search.dates import FIRST
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact

RELATIONS = {"break-glass": Relation.EMERGENCY, "centre-15": Relation.CENTRE_15}
PLACE = "place"
_SECOND = timedelta(seconds=1)
_NEVER_WAS = frozenset({"draft", "rejected", "entered-in-error", "cancelled", "failed"})


def emergency_facts(task: Any, zone: tzinfo) -> list[Fact]:
    """Return the emergency access that a Task declares; any other Task states nothing.

    Raises:
        Unprocessable: patient, professional, reason, place or period is missing or wrong.
    """
    declared = [
        RELATIONS[code] for code in codes_of(task.code, EMERGENCY_ACCESS) if code in RELATIONS
    ]
    if not declared or task.status in _NEVER_WAS:
        return []
    patient, member = party(task.for_, {"Patient"}), party(task.requester, {"Practitioner"})
    if len(task.code.coding) > 1:
        # What a Task is about, for the rules, is its first code.
        raise _wrong("has one code and no other", "Task.code")
    if patient is None:
        raise _wrong("names its patient in Task.for", "Task.for")
    if member is None:
        raise _wrong("names in Task.requester the Practitioner who declares it", "Task.requester")
    check_reason(reason_of(task))
    if not place_of(task):
        raise _wrong("says where: Task.location or an input named place", "Task.location")
    held = _held(task, zone)
    return [Fact(patient, member, relation, *held) for relation in declared]


def _held(task: Any, zone: tzinfo) -> Interval:
    """Return how long it is open; a period of the longest length written to the second is good."""
    starts, ends = period(task.executionPeriod, zone)
    longest = emergency_length(starts.date())
    if starts == FIRST or ends - starts > longest + _SECOND:
        hours = longest // timedelta(hours=1)
        raise _wrong(
            f"lasts {hours} hours at most: write Task.executionPeriod", "Task.executionPeriod"
        )
    return starts, starts + longest if ends - starts > longest else ends


def reason_of(task: Any) -> str:
    """Return the reason as the professional wrote it; empty where there is none."""
    if task.reasonCode is UNSET or task.reasonCode.text is UNSET:
        return ""
    text: str = task.reasonCode.text
    return text


def place_of(task: Any) -> str:
    """Return where it happens, in words; empty where nothing says it."""
    if task.location is not UNSET:
        named = (task.location.display, task.location.reference)
        return next((text for text in named if text is not UNSET), "")
    for one in () if task.input is UNSET else task.input:
        if PLACE in texts([one.type]) and one.valueString is not UNSET:
            text: str = one.valueString
            return text
    return ""


def _wrong(what: str, expression: str) -> Unprocessable:
    return Unprocessable(f"An emergency access {what}.", expression=expression)
