"""Break the glass: open a record in an emergency, for a few hours, with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from hygie.domains.consent.fhir import reading, writing
from hygie.domains.consent.fhir.codes import Json
from hygie.domains.consent.model.choices import Emergency, Party
from hygie.domains.consent.model.emergency import Declaration, check_declaration
from hygie.domains.consent.service.choices import parsed, without_meta
from hygie.domains.consent.service.people import names_of
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.store.model import Stored


@dataclass(frozen=True, slots=True)
class Opened:
    """A declared emergency; ``opens`` is False where the person refused such accesses."""

    emergency: Emergency
    opens: bool


async def break_glass(
    repository: Repository,
    caller: Caller,
    patient: str,
    *,
    declaration: Declaration,
    centre_15: bool = False,
    at: datetime,
) -> Opened:
    """Declare an emergency, or a call to Centre 15; the person is told, and a reviewer.

    Raises:
        Unprocessable: the reason or the place says nothing, or it is asked for too long.
        Forbidden: the caller's profession may not, or the person blocked the caller.
    """
    if caller.kind != Kind.PROFESSIONAL:
        raise Forbidden("Only professionals declare an emergency.")
    check_declaration(declaration)
    async with repository.visit(caller) as visit:
        names = await names_of(visit, [caller.reference])
    who = Party(caller.reference, names.get(caller.reference, ""))
    body = writing.emergency(patient, who, declaration, at=at, centre_15=centre_15)
    written = await repository.create(caller, "Task", msgspec.json.encode(body))
    declared = _emergency(repository, written.stored)
    return Opened(declared, await _opens(repository, caller, patient))


async def end_break_glass(
    repository: Repository, caller: Caller, key: str, *, at: datetime
) -> None:
    """End one's own emergency access early.

    Raises:
        NotFound: it is over already, or somebody else's.
    """
    stored = await repository.read(caller, "Task", key)
    emergency = _emergency(repository, stored)
    if emergency.professional.reference != caller.reference:
        raise NotFound("This emergency access is not yours.")
    body: Json = msgspec.json.decode(stored.body or b"{}")
    raw = msgspec.json.encode(without_meta(writing.ended_emergency(body, at)))
    await repository.update(caller, "Task", key, raw, if_match=stored.version)


def _emergency(repository: Repository, stored: Stored) -> Emergency:
    found = reading.emergency(parsed(stored), repository.site.zone)
    if found is None:
        raise NotFound("This is no emergency access.")
    return found


async def _opens(repository: Repository, caller: Caller, patient: str) -> bool:
    try:
        await repository.read(caller, "Patient", patient)
    except NotFound:
        return False
    return True
