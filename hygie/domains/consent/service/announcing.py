"""Show, after the delay, what was kept from the person until an announcement visit."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

import msgspec

from hygie.domains.consent.fhir.writing import instant
from hygie.domains.consent.model.constants import announcement_delay
from hygie.domains.consent.model.notices import Message, Notice
from hygie.domains.consent.service.notices import put
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import job
from hygie.kernel.security.labels import Label
from hygie.kernel.store import Repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.model import Stored

log = logging.getLogger(__name__)
TYPES: Final = (
    "DocumentReference",
    "DiagnosticReport",
    "Encounter",
    "Observation",
    "ImagingStudy",
    "Condition",
    "Procedure",
)
"""Types that are labelled by themselves; what depends on them follows."""
MOST = "200"
"""Resources of one type announced in one pass; the next pass goes on."""


async def announce(repository: Repository, *, at: datetime) -> int:
    """Lift INVISIBLE_PATIENT where the delay is over, and tell the person; return how many.

    The delay runs from the last version: a corrected result may need announcing again.
    """
    caller = job("announce")
    before = instant(at - announcement_delay(at.date()))
    messages = []
    for rt in TYPES:
        query = [("_security", "INVISIBLE_PATIENT"), ("_lastUpdated", f"lt{before}")]
        found = await repository.search(caller, rt, [*query, ("_count", MOST), ("_total", "none")])
        for entry in found.entries:
            told = await _announce(repository, entry.stored)
            messages += [told] if told is not None else []
    return await put(repository, messages)


async def _announce(repository: Repository, stored: Stored) -> Message | None:
    try:
        written = await repository.relabel(
            job("announce"), stored.rt, stored.rid, remove=Label.HIDDEN_FROM_PATIENT
        )
    except HygieError:
        # One that cannot be announced must not keep the others from being announced.
        log.exception("consent.not_announced", extra={"type": stored.rt})
        return None
    subject = msgspec.json.decode(stored.body or b"{}").get("subject", {}).get("reference", "")
    if not written.changed or not subject.startswith("Patient/"):
        return None
    number = await repository.party_number(subject)
    secret = await _is_secret(repository, stored)
    return Message(Notice.ANNOUNCED, number, stored.reference, item=stored.reference, secret=secret)


async def _is_secret(repository: Repository, stored: Stored) -> bool:
    """Tell whether the person hid it from relatives: itself, or the visit it belongs to."""
    async with repository.database.transaction(system=True) as connection:
        label = await connection.fetchval(
            "SELECT label_now($1::smallint, $2::uuid)",
            type_number(stored.rt),
            key_of(stored.rid)[0],
        )
    return bool((label or 0) & Label.HIDDEN_FROM_REPRESENTATIVES)
