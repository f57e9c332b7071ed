"""Start and end memberships of the care team by the events the store itself knows."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import msgspec

from hygie.domains.consent.fhir.codes import ENDING_EVENT, Json
from hygie.domains.consent.fhir.proofs import READERS, SOURCE, proof_of, team_of
from hygie.domains.consent.fhir.writing import instant
from hygie.domains.consent.model.events import WITHDRAWAL
from hygie.domains.consent.service.choices import parsed, without_meta
from hygie.kernel.errors import HygieError
from hygie.kernel.security.caller import job
from hygie.kernel.store import Repository
from hygie.kernel.store.model import Stored

log = logging.getLogger(__name__)
LOOK_BACK = timedelta(minutes=15)
MOST = "1000"
CALLER = job("membership")


async def follow_events(repository: Repository, *, at: datetime) -> int:
    """Write the memberships that appointments, orders, prescriptions and stays prove.

    Each pass looks back a little; a proof that was read already writes nothing. Returns how many
    memberships were written or changed.
    """
    since = instant(at - LOOK_BACK)
    written = 0
    for rt in READERS:
        query = [("_lastUpdated", f"ge{since}"), ("_count", MOST), ("_total", "none")]
        found = await repository.search(CALLER, rt, query)
        for entry in found.entries:
            written += await _follow(repository, entry.stored, at=at)
    return written


async def _follow(repository: Repository, stored: Stored, *, at: datetime) -> bool:
    try:
        resource = parsed(stored)
        proof = proof_of(resource, stored.updated, repository.site.zone)
        if proof is None:
            return False
        ends = proof.span().ends
        over = ends is not None and ends <= at
        body = team_of(proof, resource, stored.reference)
        return await _keep(repository, body, stored.reference, over=over)
    except HygieError:
        # One proof that cannot be followed must not keep the others from being followed.
        log.exception("consent.proof_not_followed", extra={"type": stored.rt})
        return False


async def _keep(repository: Repository, body: Json, reference: str, *, over: bool) -> bool:
    """Write the CareTeam of a proof, unless it says nothing new or is over unseen."""
    criteria = [("identifier", f"{SOURCE}|{reference}")]
    known = await repository.search(CALLER, "CareTeam", criteria)
    if not known.entries:
        if over:
            return False
        once = f"identifier={SOURCE}|{reference}"
        raw = msgspec.json.encode(body)
        await repository.create(CALLER, "CareTeam", raw, if_none_exist=once)
        return True
    former = known.entries[0].stored
    before = without_meta(msgspec.json.decode(former.body or b"{}"))
    if _members(before) == _members(body) or _withdrawn(before):
        return False
    whole = msgspec.json.encode({**body, "id": former.rid})
    await repository.update(CALLER, "CareTeam", former.rid, whole, if_match=former.version)
    return True


def _members(team: Json) -> list[tuple[str, str, str | None]]:
    """Return who is in it by which events; a later version of the proof alone changes nothing."""
    return [
        (
            one.get("member", {}).get("reference", ""),
            " ".join(each.get("valueCode", "") for each in one.get("extension", ())),
            one.get("period", {}).get("end") if len(one.get("extension", ())) > 1 else None,
        )
        for one in team.get("participant", ())
    ]


def _withdrawn(team: Json) -> bool:
    """Tell whether the person ended it: no later version of the proof brings it back."""
    return any(
        each.get("url") == ENDING_EVENT and each.get("valueCode") == WITHDRAWAL
        for one in team.get("participant", ())
        for each in one.get("extension", ())
    )
