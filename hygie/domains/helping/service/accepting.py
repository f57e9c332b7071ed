"""Answer an invitation: one who says the name and birth date it was made for, once."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from hygie.domains.helping import fhir
from hygie.domains.helping.model import limits
from hygie.domains.helping.model.invitations import Invited, State, typed
from hygie.domains.helping.orm import Invitation
from hygie.domains.helping.service import records
from hygie.domains.helping.service.inviting import change, digest, digest_of, drop
from hygie.domains.helping.service.people import standing_of
from hygie.kernel.errors import Conflict, HygieError, InvalidRequest
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository
from hygie.kernel.web.bridge import ask
from hygie.kernel.web.caller import Account

ACCEPTED = "mandate-accepted"
DECLINED = "mandate-declined"


@dataclass(frozen=True, slots=True)
class Invitee:
    """Who answers: the account that is signed in, and as which caller."""

    account: Account
    caller: Caller
    name: str


def find(
    repository: Repository, helper: Invitee, code: str, invited: Invited, *, at: datetime
) -> Invitation:
    """Return the invitation that a code and who typed it stand for.

    Raises:
        InvalidRequest: there is none that waits for this person; nothing tells why.
        Conflict: it is an invitation to one's own record.
    """
    plain = typed(code)
    found = Invitation.objects.filter(
        code=digest(plain), state=State.SENT.value, expires__gt=at
    ).first()
    if found is None:
        raise _unknown()
    same = hmac.compare_digest(bytes(found.said), digest_of(plain, invited))
    if not same or not ask(_is_oneself(repository, helper, invited)):
        _miss(repository, found, at=at)
        raise _unknown()
    if helper.account.fhir_reference == f"Patient/{found.patient}":
        raise Conflict("This is your own record: somebody else must help you.")
    return found


def accept(repository: Repository, helper: Invitee, found: Invitation, *, at: datetime) -> None:
    """Make the person's decision hold, from now on.

    The rules judge the decision again, as that of who took it: a parent who is none any more
    opens nothing.

    Raises:
        Conflict: it was answered or withdrawn meanwhile.
        Forbidden: who invited may not decide this any more.
    """
    change(found, State.ACCEPTED, at=at)
    try:
        reference = standing_of(repository, helper.account, found.patient, helper.name)
        ask(_open(repository, helper, found, reference=reference, at=at))
    except HygieError:
        Invitation.objects.filter(pk=found.pk).update(state=State.SENT.value, answered=None)
        raise
    Invitation.objects.filter(pk=found.pk).update(account_id=helper.account.pk, reference=reference)


def decline(repository: Repository, helper: Invitee, found: Invitation, *, at: datetime) -> None:
    """Decline: nothing opens, and the person is told."""
    drop(repository, found, State.DECLINED, at=at)
    ask(_say(repository, helper.caller, found, DECLINED))


async def _open(
    repository: Repository, helper: Invitee, found: Invitation, *, reference: str, at: datetime
) -> None:
    inviter = await records.person_caller(repository, found.inviter, level=found.level)
    before = await records.stored(repository, inviter, "Consent", found.consent)
    who = fhir.Named(reference, helper.name)
    body = fhir.accepted(records.body_of(before), who, at=at)
    await records.replace(repository, inviter, before, body)
    acting = await records.person_caller(repository, reference, level=helper.caller.level)
    await _say(repository, acting, found, ACCEPTED)


async def _say(repository: Repository, caller: Caller, found: Invitation, what: str) -> None:
    """Trace the answer under the name of who gave it, and tell the person."""
    await records.note(repository, caller, found.patient, what)
    party = await repository.party_number(f"Patient/{found.patient}")
    notice = {"what": what, "party": party, "about": party, "by": caller.reference}
    await records.tell(repository, notice, key=str(found.pk))


async def _is_oneself(repository: Repository, helper: Invitee, invited: Invited) -> bool:
    """Tell whether who stands in a record of their own is the person who was invited."""
    reference = helper.account.fhir_reference
    if not reference.startswith("Patient/"):
        return True
    own = await records.patient_of(repository, helper.caller, reference.partition("/")[2])
    said = {Invited(given, family, invited.birth).said() for given, family in fhir.names_of(own)}
    return records.birth_of(own) == invited.birth and invited.said() in said


def _miss(repository: Repository, found: Invitation, *, at: datetime) -> None:
    found.tries += 1
    Invitation.objects.filter(pk=found.pk).update(tries=found.tries)
    if found.tries >= limits.amount("wrong-traits", "tries", at=at.date()):
        drop(repository, found, State.LOST, at=at)


def _unknown() -> InvalidRequest:
    return InvalidRequest(
        "No invitation waits for this code, this name and this birth date; check them."
    )
