"""Record parents and guardians upon a document that two people saw; remind of renewals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from hygie.domains.helping import fhir
from hygie.domains.helping.model import limits
from hygie.domains.helping.model.measures import STAGES, Stage, check_age, check_end, measures
from hygie.domains.helping.orm import Protection
from hygie.domains.helping.service import records
from hygie.kernel.errors import Conflict, Forbidden, HygieError, InvalidRequest, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller, Right
from hygie.kernel.store import Repository
from hygie.kernel.web.bridge import ask
from hygie.kernel.web.caller import Account

ENTERED = "measure-entered"
CONFIRMED = "measure-confirmed"
ENDED = "measure-ended"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the document says, and which document it is.

    Attributes:
        measure: a key of ``measures.csv``.
        court: who decided, empty where nobody had to; ``judgment`` is the number of the decision.
        judged: the day of the decision; ``ends`` the last day it holds.
        document: what was seen, such as ``Livret de famille``.
        born: birth date of who is represented, None where it is not known to the day.
    """

    measure: str
    court: str
    judgment: str
    judged: date | None
    ends: date | None
    document: str
    born: date | None


def check_may_record(caller: Caller) -> None:
    """Check that somebody may record parents and guardians.

    Raises:
        Forbidden: the account has not the right ``register``.
    """
    if Right.REGISTER not in caller.rights:
        raise Forbidden("Your account does not record parents and guardians; ask for the right.")


def enter(
    repository: Repository,
    caller: Caller,
    account: Account,
    *,
    people: tuple[fhir.Named, fhir.Named],
    seen: Seen,
    at: datetime,
) -> Protection:
    """Keep what the first person saw; nothing opens before a second one confirms.

    ``people`` are who is represented and who represents.

    Raises:
        Forbidden: the account has not the right ``register``.
        InvalidRequest: the dates cannot be, the two are one person, or a parent is named for
            somebody who is of age.
    """
    check_may_record(caller)
    person, who = people
    if person.reference == who.reference:
        raise InvalidRequest("Nobody represents themself.")
    check_end(seen.measure, seen.judged, seen.ends, at=at.date())
    check_age(seen.measure, seen.born, seen.ends, at=at.date())
    held = measures().value(seen.measure, at=at.date())
    if held.judged and not (seen.court.strip() and seen.judgment.strip()):
        raise InvalidRequest("Write who decided, and the number of the decision.")
    patient = person.reference.partition("/")[2]
    ask(records.note(repository, caller, patient, ENTERED))
    return Protection.objects.create(
        patient=patient,
        person=person.name,
        representative=who.reference,
        name=who.name,
        measure=seen.measure,
        court=seen.court.strip(),
        judgment=seen.judgment.strip(),
        judged=seen.judged,
        ends=seen.ends,
        seen=seen.document.strip(),
        created=at,
        entered_by_id=account.pk,
    )


def confirm(
    repository: Repository, caller: Caller, account: Account, number: int, *, at: datetime
) -> None:
    """Let a second person, who saw the document too, open what it says.

    Raises:
        Forbidden: no right ``register``, or the same person twice.
        Conflict: it was answered meanwhile.
    """
    found = read(caller, number)
    if found.entered_by_id == account.pk:
        raise Forbidden("Another person must see the document and confirm.")
    _change(found, Stage.CONFIRMED, account, at=at)
    try:
        consent = ask(_open(repository, caller, found, at=at))
    except HygieError:
        held = Protection.objects.filter(pk=found.pk)
        held.update(state=Stage.ENTERED.value, answered=None, answered_by=None)
        raise
    Protection.objects.filter(pk=found.pk).update(consent=consent)


def refuse(caller: Caller, account: Account, number: int, *, at: datetime) -> None:
    """Refuse what was entered: the document does not say so.

    Raises:
        Forbidden: no right ``register``.
        Conflict: it was answered meanwhile.
    """
    found = read(caller, number)
    if found.entered_by_id == account.pk:
        raise Forbidden("Another person must see the document and answer.")
    _change(found, Stage.REFUSED, account, at=at)


def end(
    repository: Repository, caller: Caller, account: Account, number: int, *, at: datetime
) -> None:
    """End a measure at once: lifted, transferred, or a parent who lost the authority.

    Each parent is one measure, so that ending one leaves the other. Closing needs one person only.

    Raises:
        Forbidden: no right ``register``.
        Conflict: it does not run.
    """
    found = read(caller, number)
    before = Stage(found.state)
    if Stage.ENDED not in STAGES[before]:
        raise Conflict("This measure does not run.")
    ask(_end(repository, caller, found, at=at))
    Protection.objects.filter(pk=found.pk, state=before.value).update(state=Stage.ENDED.value)
    del account


def read(caller: Caller, number: int) -> Protection:
    """Return what was entered.

    Raises:
        Forbidden: no right ``register``.
        NotFound: there is no such measure.
    """
    check_may_record(caller)
    found = Protection.objects.filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such measure.")
    return found


def waiting(caller: Caller) -> list[Protection]:
    """Return what waits for a second person, oldest first."""
    check_may_record(caller)
    return list(Protection.objects.filter(state=Stage.ENTERED.value).order_by("created"))


def running(caller: Caller) -> list[tuple[Protection, bool]]:
    """Return the measures that run, the next to end first, and whether each is to be renewed."""
    check_may_record(caller)
    today = timezone.localdate()
    soon = today + limits.days("renewal-reminder", at=today)
    found = Protection.objects.filter(state=Stage.CONFIRMED.value).exclude(ends__lt=today)
    ordered = sorted(found, key=lambda one: (one.ends is None, one.ends or today, one.pk))
    return [(one, one.ends is not None and one.ends <= soon) for one in ordered]


def _change(found: Protection, stage: Stage, account: Account, *, at: datetime) -> None:
    before = Stage(found.state)
    held = Protection.objects.filter(pk=found.pk, state=before.value)
    values = {"state": stage.value, "answered": at, "answered_by_id": account.pk}
    if stage not in STAGES[before] or not held.update(**values):
        raise Conflict("Somebody answered this already.")


async def _open(repository: Repository, caller: Caller, found: Protection, *, at: datetime) -> str:
    """Write the Consent that the document stands for; return its id."""
    await records.note(repository, caller, found.patient, CONFIRMED)
    held = measures().value(found.measure, at=at.date())
    zone = repository.site.zone
    ends = None
    if found.ends is not None:
        day = found.ends + timedelta(days=1)
        ends = datetime(day.year, day.month, day.day, tzinfo=zone)
    who = fhir.Named(found.representative, found.name)
    given = fhir.Delegation(found.patient, "", who, held.acts_as, at, ends)
    body = fhir.upon(fhir.consent(given, status="active"), judgment=found.judgment)
    consent = await records.create(repository, SYSTEM, body)
    party = await repository.party_number(f"Patient/{found.patient}")
    notice = {"what": CONFIRMED, "party": party, "about": party, "by": found.representative}
    await records.tell(repository, notice, key=str(found.pk))
    return consent


async def _end(repository: Repository, caller: Caller, found: Protection, *, at: datetime) -> None:
    await records.note(repository, caller, found.patient, ENDED)
    before = await records.stored(repository, SYSTEM, "Consent", found.consent)
    body = records.body_of(before)
    if body.get("status") == "active":
        closed = fhir.closed(body, "inactive", at=at)
        await records.replace(repository, SYSTEM, before, closed)
