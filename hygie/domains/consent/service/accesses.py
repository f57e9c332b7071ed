"""Who saw a record: the access log of one person, read as that person or who decides for them.

The log is read when it is asked: an access shows as soon as it is durable, which is before its
answer left. Reading the log leaves a trace too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from hygie.domains.consent.fhir import reading
from hygie.domains.consent.fhir.codes import EMERGENCY_ACCESS
from hygie.domains.consent.model.accesses import EMERGENCIES, How, Seen, SeenPage, Wish
from hygie.domains.consent.model.choices import Emergency
from hygie.domains.consent.model.roles import labels
from hygie.domains.consent.service.choices import everything, parsed
from hygie.domains.consent.service.facts import check_may_see_choices, record_facts
from hygie.domains.consent.service.people import names_of
from hygie.domains.consent.service.sentences import reason_of
from hygie.domains.consent.service.visiting import Opened
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.dates import FIRST
from hygie.kernel.security.clauses import Language
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.tracing import Touched

Json = dict[str, Any]
SHOWN = 25
"""Accesses of one page."""
MOST_READ = 5000
"""Traces looked through for one page; the next page goes on from there."""
_AT_ONCE = 250
_RULE = "access-log"
_REFUSED = 400
_HOW = {"R": How.READ, "C": How.ADDED, "U": How.CHANGED, "D": How.REMOVED}
_TRIED = {
    "read": How.READ,
    "vread": How.READ,
    "history-instance": How.READ,
    "create": How.ADDED,
    "update": How.CHANGED,
    "patch": How.CHANGED,
    "delete": How.REMOVED,
}
_PROGRAM = ("Un programme de Hygie", "A program of Hygie")
_COLUMNS = ("at", "who", "name", "role", "structure", "how", "kind", "item", "rule", "reason")


async def accesses(opened: Opened, wish: Wish, *, language: Language = "fr") -> SeenPage:
    """Return one page of the accesses to a record, newest first.

    Raises:
        NotFound: the caller neither is the person nor decides for the person.
    """
    if not await _may_read(opened):
        return SeenPage((), told=False)
    found: list[Seen] = []
    after, read = wish.after, 0
    while len(found) <= SHOWN and read < MOST_READ:
        events, after = await _events(opened, wish, after=after)
        read += len(events)
        own = opened.visit.caller.reference
        seen = (seen_of(one, language, own=own) for one in events)
        found += [one for one in seen if wish.holds(one)]
        if not after:
            break
    shown = await _named(opened, found[:SHOWN])
    after = shown[-1].id if found[SHOWN:] else after
    first = not wish.item and not wish.after
    return SeenPage(shown, after=after, declared=await _declared(opened) if first else ())


async def _declared(opened: Opened) -> list[Emergency]:
    """Return the emergency accesses that were declared, with the reason that was given."""
    query = [("patient", opened.patient), ("code", f"{EMERGENCY_ACCESS}|")]
    tasks = await everything(opened.visit, "Task", query)
    zone = opened.repository.site.zone
    found = [one for task in tasks if (one := reading.emergency(parsed(task), zone)) is not None]
    return sorted(found, key=lambda one: one.span.starts or FIRST, reverse=True)


async def as_ndjson(opened: Opened, wish: Wish) -> bytes:
    """Return every access that is asked for as FHIR AuditEvents, one a line, newest first."""
    return b"".join([msgspec.json.encode(one) + b"\n" for one in await _every(opened, wish)])


async def as_csv(opened: Opened, wish: Wish, *, language: Language) -> str:
    """Return every access that is asked for as a table for a spreadsheet."""
    events = await _every(opened, wish)
    named = await _named(opened, [seen_of(one, language, own="") for one in events])
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(_COLUMNS)
    for one in named:
        writer.writerow([_safe(str(getattr(one, column))) for column in _COLUMNS])
    return out.getvalue()


async def _every(opened: Opened, wish: Wish) -> list[Json]:
    if not await _may_read(opened):
        raise Forbidden("Only the person and who decides for the person read who saw.")
    found: list[Json] = []
    after, own = "", opened.visit.caller.reference
    while True:
        events, after = await _events(opened, wish, after=after)
        found += [one for one in events if wish.holds(seen_of(one, "fr", own=own))]
        if not after:
            return found


def _safe(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


async def _may_read(opened: Opened) -> bool:
    """Tell whether the caller reads this log, and note that they do.

    A helper reads the record, not who else reads it.
    """
    visit = opened.visit
    facts = await record_facts(visit, opened.patient)
    check_may_see_choices(opened.repository.law.policies, visit.caller, facts)
    link = facts.links.get(visit.caller.party)
    stands = facts.patient == visit.caller.party or (
        link is not None
        and any(
            relation in link.relations
            for relation in (Relation.GUARDIAN, Relation.MANAGES, Relation.PARENT)
        )
    )
    if stands:
        read = Touched(type_number("AuditEvent"), None, None, facts.patient, _RULE)
        visit.touched.append(read)
    return stands


async def _events(opened: Opened, wish: Wish, *, after: str) -> tuple[list[Json], str]:
    site, visit = opened.repository.site, opened.visit
    log = AuditEvents(base=site.base, key_of=key_of, zone=site.zone, clock=SystemClock())
    asked = [("patient", f"Patient/{opened.patient}"), ("_count", str(_AT_ONCE))]
    asked += [("date", f"ge{wish.since.isoformat()}")] if wish.since else []
    asked += [("date", f"le{wish.until.isoformat()}")] if wish.until else []
    asked += [("agent", wish.who)] if wish.who else []
    asked += [("entity", wish.item)] if wish.item else []
    page = await log.search(visit.connection, visit.caller, asked, after=after or None)
    return [msgspec.json.decode(one.body) for one in page.events], page.after or ""


async def _named(opened: Opened, found: Sequence[Seen]) -> list[Seen]:
    people = {one.who for one in found} | {one.structure for one in found}
    known = [one for one in people if "/" in one]
    names = await names_of(opened.visit, known, patient=opened.patient)
    return [
        replace(
            one,
            name=names.get(one.who, one.name),
            structure=names.get(one.structure, "" if "/" in one.structure else one.structure),
        )
        for one in found
    ]


def seen_of(event: Json, language: Language, *, own: str) -> Seen:
    """Return an access as it is told, from its AuditEvent."""
    user: Json = next((one for one in event.get("agent", ()) if one.get("requestor")), {})
    who = user.get("who", {})
    told = str(event.get("outcomeDesc", "")).partition(",")[0]
    status, _, rule = told.partition(" ")
    reference = who.get("reference") or who.get("identifier", {}).get("value", "")
    kind, item = _what(event)
    role, structure = _role_and_structure(event, user, language)
    program = not reference or reference.startswith("job/")
    return Seen(
        id=event["id"],
        at=datetime.fromisoformat(event["recorded"]),
        who=reference or who.get("display", ""),
        name=_PROGRAM[language == "en"] if program else who.get("display", ""),
        role=role,
        structure=structure,
        how=How.COUNTED if _among(event) and not program else _how(event),
        kind=kind,
        item=item,
        rule=rule,
        reason=reason_of(rule, language),
        refused=status.isdigit() and int(status) >= _REFUSED,
        emergency=rule in EMERGENCIES,
        own=bool(own) and reference == own,
        program=program,
    )


def _among(event: Json) -> bool:
    """Tell whether the person was one of many that a number was over."""
    return any(one.get("name", "").startswith("one of ") for one in event.get("entity", ()))


def _how(event: Json) -> How:
    codes = {one.get("code") for one in event.get("subtype", ())}
    if any(str(code).startswith("search") for code in codes):
        return How.SEARCH
    # A refusal has the action of a decision: what was tried is in the interaction.
    tried = next((how for code, how in _TRIED.items() if code in codes), How.OPERATION)
    return _HOW.get(event.get("action", ""), tried)


def _what(event: Json) -> tuple[str, str]:
    for entity in event.get("entity", ()):
        if entity.get("role", {}).get("code") == "4":
            reference = entity.get("what", {}).get("reference", "").partition("/_history")[0]
            return reference.partition("/")[0] or entity.get("name", ""), reference
    return "", ""


def _role_and_structure(event: Json, user: Json, language: Language) -> tuple[str, str]:
    codes = [
        coding.get("code", "") for role in user.get("role", ()) for coding in role.get("coding", ())
    ]
    codes += [role["text"] for role in user.get("role", ()) if role.get("text")]
    places = [
        one.get("who", {})
        for one in event.get("agent", ())
        if one.get("who", {}).get("reference", "").startswith("Organization/")
    ]
    place: Json = places[0] if places else {}
    return labels(codes, language), place.get("reference") or place.get("display", "")
