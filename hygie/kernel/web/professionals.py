"""From a professional's national number to the person of the directory, and to their account.

Doors that prove a number (a card, an identity provider) all find the account in this way. A number
is compared whole and never taken apart (CI-SIS, identifiers).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from django.contrib.auth import get_user_model

from hygie.kernel.errors import Conflict, PreconditionFailed
from hygie.kernel.fhir.verification import Source, verified
from hygie.kernel.security.caller import Caller, Kind, job
from hygie.kernel.store import Repository
from hygie.kernel.store.model import Stored

NATIONAL_ID = "urn:oid:1.2.250.1.71.4.2.1"
"""IDNPS, the national number of a professional."""
RPPS = "https://rpps.esante.gouv.fr"
CALLER = job("professionals")
_SERVER = ("versionId", "lastUpdated")


async def practitioner_with(
    repository: Repository, identifiers: Sequence[tuple[str, str]]
) -> Stored | None:
    """Return the Practitioner with one of these identifiers, None where nobody has it.

    Raises:
        Conflict: several have; the directory must be put right first.
    """
    found: dict[str, Stored] = {}
    for system, value in identifiers:
        query = [("identifier", f"{system}|{value}"), ("_count", "3")]
        for entry in (await repository.search(CALLER, "Practitioner", query)).entries:
            found[entry.stored.reference] = entry.stored
    if len(found) > 1:
        raise Conflict("Several people of the directory have this national number.")
    return next(iter(found.values()), None)


async def professions_of(repository: Repository, practitioner: str) -> frozenset[str]:
    """Return the roles that somebody practises now, as the access rules read them."""
    number = await repository.party_number(practitioner)
    caller = Caller(Kind.PROFESSIONAL, number, practitioner)
    return (await repository.authenticate(caller)).roles


async def vouch(repository: Repository, stored: Stored, source: Source, *, on: date) -> None:
    """Write on a Practitioner that a source vouched for them on a day; a recent mark stands."""
    body: dict[str, Any] = msgspec.json.decode(stored.body or b"{}")
    marked = verified(body, source, on=on)
    if marked == body:
        return
    meta = {name: one for name, one in body.get("meta", {}).items() if name not in _SERVER}
    raw = msgspec.json.encode({**marked, "meta": meta} if meta else _without_meta(marked))
    # Somebody else wrote the same person in between: the next sign-in marks them.
    with contextlib.suppress(PreconditionFailed):
        await repository.update(CALLER, stored.rt, stored.rid, raw, if_match=stored.version)


def _without_meta(body: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in body.items() if name != "meta"}


def account_of_professional(practitioner: str) -> Any | None:
    """Return the professional's account, None where there is none; a closed one comes last.

    The kernel does not know the account model of ``sign_in``.
    """
    accounts: Any = get_user_model()._default_manager  # noqa: SLF001  public in Django
    held = accounts.filter(fhir_reference=practitioner, kind="professional")
    return held.order_by("-is_active", "pk").first()
