"""Count the years a closed record is kept; propose its destruction, and never destroy anything."""

from __future__ import annotations

from datetime import datetime

from hygie.domains.consent.fhir import reading
from hygie.domains.consent.fhir.codes import CHOICE
from hygie.domains.consent.model.choices import Choice, Choices
from hygie.domains.consent.model.notices import Message, Notice
from hygie.domains.consent.service.choices import everything, parsed
from hygie.domains.consent.service.notices import put
from hygie.kernel.fhir.search.references import parse_ref
from hygie.kernel.security.caller import job
from hygie.kernel.store import Repository, Visit


async def propose_destructions(repository: Repository, *, at: datetime) -> int:
    """Put one notice for each closed record whose retention is over; return how many are new.

    The notice is for the operator, who decides; it comes again each week until it is decided.
    """
    messages = []
    async with repository.visit(job("retention")) as visit:
        query = [("category", f"{CHOICE}|{Choice.CLOSURE}"), ("status", "active")]
        closures = await everything(visit, "Consent", query)
        for patient in sorted({_patient(parsed(one)) for one in closures} - {""}):
            choices = await _choices(repository, visit, patient, at=at)
            over = choices.destroyed_after
            if over is not None and over <= at.astimezone(repository.site.zone).date():
                number = await repository.party_number(f"Patient/{patient}")
                messages.append(Message(Notice.RETENTION_OVER, number, f"{number}:{over}"))
    return await put(repository, messages)


def _patient(consent: object) -> str:
    subject = getattr(consent, "patient", None)
    ref = parse_ref(getattr(subject, "reference", None) or "")
    return ref.id if ref is not None and ref.id is not None else ""


async def _choices(repository: Repository, visit: Visit, patient: str, *, at: datetime) -> Choices:
    about = await visit.read("Patient", patient)
    consents = await everything(visit, "Consent", [("patient", patient)])
    return reading.choices(
        parsed(about), map(parsed, consents), [], at=at, zone=repository.site.zone
    )
