"""Let somebody act under a professional until a date, and end it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hygie.domains.consent.fhir.codes import ACTING_UNDER, Json
from hygie.domains.consent.fhir.writing import delegation as delegation_of
from hygie.domains.consent.fhir.writing import instant
from hygie.domains.consent.model.delegation import Delegation, check_delegation
from hygie.domains.consent.service.choices import without_meta
from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository


async def let_act_under(
    repository: Repository, caller: Caller, *, delegation: Delegation, at: datetime
) -> str:
    """Write who acts under whom until when; return the key.

    The role of the directory is the operator's to give; the principal alone may name a substitute.

    Raises:
        InvalidRequest: the delegation is not one.
        Forbidden: the caller is neither the principal nor the operator.
    """
    check_delegation(delegation, at)
    body = delegation_of(delegation.who, delegation.principal, delegation.role, delegation.span(at))
    written = await repository.create(caller, "PractitionerRole", msgspec.json.encode(body))
    return written.stored.rid


async def end_acting_under(
    repository: Repository, caller: Caller, key: str, *, at: datetime
) -> None:
    """End a delegation from the next request on.

    Raises:
        NotFound: no delegation has this key.
    """
    stored = await repository.read(caller, "PractitionerRole", key)
    body: Json = msgspec.json.decode(stored.body or b"{}")
    if not any(one.get("url") == ACTING_UNDER for one in body.get("extension", ())):
        raise NotFound("There is no such delegation.")
    held = {**body.get("period", {}), "end": instant(at)}
    ended = {**without_meta(body), "active": False, "period": held}
    raw = msgspec.json.encode(ended)
    await repository.update(caller, "PractitionerRole", key, raw, if_match=stored.version)
