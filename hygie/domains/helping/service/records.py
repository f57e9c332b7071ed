"""Read and write what helping needs of a record, each act under the right name."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from hygie.domains.helping.fhir import Json
from hygie.domains.helping.model.limits import decides_alone
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.fhir.names import type_number
from hygie.kernel.outbox import queue
from hygie.kernel.outbox.job import Event
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.labels import Label
from hygie.kernel.store import Repository
from hygie.kernel.store.model import Stored
from hygie.kernel.store.tracing import Request, Touched

MANY = "1000"
NOTICE = "notice"
"""Kind of the events that tell somebody something; who delivers them chooses the channel."""
WHOLE_DATE = len("2024-01-31")


async def patient_of(repository: Repository, caller: Caller, patient: str) -> Json:
    """Return a Patient.

    Raises:
        NotFound: the caller may not know who it is.
    """
    found = await every(repository, caller, "Patient", [("_id", patient)])
    if not found:
        raise NotFound("This person is not known here.")
    return found[0]


async def every(
    repository: Repository, caller: Caller, rt: str, query: list[tuple[str, str]]
) -> list[Json]:
    """Return the matches of a search; none where the caller may not read the type."""
    try:
        async with repository.visit(caller) as visit:
            found = await visit.search(rt, [*query, ("_count", MANY), ("_total", "none")])
    except Forbidden:
        return []
    return [body_of(one.stored) for one in found.entries if one.mode == "match"]


async def create(repository: Repository, caller: Caller, body: Json) -> str:
    """Create a resource and return its id."""
    raw = msgspec.json.encode(body)
    return (await repository.create(caller, body["resourceType"], raw)).stored.rid


async def stored(repository: Repository, caller: Caller, rt: str, rid: str) -> Stored:
    """Return a resource as it is stored now."""
    return await repository.read(caller, rt, rid)


async def replace(repository: Repository, caller: Caller, before: Stored, body: Json) -> None:
    """Write a new version of a resource, unless somebody else did meanwhile."""
    kept = {key: value for key, value in body.get("meta", {}).items() if key in _KEPT}
    rest = {key: value for key, value in body.items() if key != "meta"}
    whole = {**rest, "id": before.rid, **({"meta": kept} if kept else {})}
    raw = msgspec.json.encode(whole)
    await repository.update(caller, before.rt, before.rid, raw, if_match=before.version)


_KEPT = ("security", "profile", "tag")


def body_of(one: Stored) -> Json:
    """Return a stored resource as JSON."""
    body: Json = msgspec.json.decode(one.body or b"{}")
    return body


async def person_caller(repository: Repository, reference: str, *, level: int = 1) -> Caller:
    """Return a person as a caller, with no more than what the relations give."""
    party = await repository.party_number(reference)
    return Caller(Kind.PATIENT, party, reference, purpose="PATRQT", level=level)


async def note(
    repository: Repository, caller: Caller, patient: str, rule: str, *, secret: bool = False
) -> None:
    """Leave the trace of an act of helping: who did it, about whom, under what name.

    What opens or ends a help is written by the platform or by the person's own right; this says
    who asked for it. A ``secret`` act is told to the person alone.
    """
    label = Label.HIDDEN_FROM_REPRESENTATIVES if secret else Label(0)
    pat = await repository.party_number(f"Patient/{patient}")
    async with repository.visit(caller, request=Request("operation")) as visit:
        visit.touched.append(Touched(type_number("Consent"), None, None, pat, rule, label))


async def tell(repository: Repository, notice: dict[str, Any], *, key: str) -> None:
    """Put a notice in the outbox, once per ``key``.

    ``notice`` has ``what``, ``party`` (number of who is told), ``about`` (number of the patient)
    and ``by`` (a reference); never any health content.
    """
    payload = msgspec.json.encode({"item": "", "secret": False, **notice})
    async with repository.database.connection() as connection, connection.transaction():
        await queue.put(connection, [Event(NOTICE, payload, key=f"{notice['what']}:{key}")])


def check_old_enough(patient: Json, caller: Caller, *, at: datetime) -> None:
    """Check that a person who decides about the own record is old enough to.

    Raises:
        Forbidden: the parents decide until then.
    """
    birth = birth_of(patient)
    own = caller.reference == f"Patient/{patient['id']}"
    if own and birth is not None and not decides_alone(birth, at=at.date()):
        raise Forbidden("Your parents decide about your record until you are older; ask them.")


def birth_of(patient: Json) -> date | None:
    """Return a whole birth date, None where it is not known to the day."""
    text = patient.get("birthDate", "")
    return date.fromisoformat(text) if len(text) == WHOLE_DATE else None
