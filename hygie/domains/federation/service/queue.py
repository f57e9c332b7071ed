"""The queue of doubtful cases: a human with the right *identify* decides, with a reason.

Each reading of a case leaves a trace for the people it compares (rule ``identify``), each decision
a line in the security log. The traits are destroyed with the decision.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from hygie.domains.federation.model.cases import OPEN, State, check_change, check_words
from hygie.domains.federation.model.pivot import Pivot
from hygie.domains.federation.orm import Begun, Case
from hygie.domains.federation.policy import Reason
from hygie.domains.federation.service.accounts import Newcomer, link
from hygie.domains.federation.service.openid.client import Proven
from hygie.domains.federation.service.sealing import seal, unseal
from hygie.kernel.errors import Forbidden, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Right
from hygie.kernel.store.comparing import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hygie.domains.federation.model.providers import Provider

log = logging.getLogger(__name__)
READER = "case"
KEPT = timedelta(days=90)
"""A case nobody decides is destroyed: the person may begin again."""
MOST = 100


def check_may_decide(caller: Caller) -> None:
    """Check that somebody may recognise a person in the queue.

    Raises:
        Forbidden: they may not.
    """
    if Right.IDENTIFY not in caller.rights:
        raise Forbidden("Deciding who somebody is wants the right identify.")


def propose(proven: Proven, pivot: Pivot, reason: Reason) -> Case:
    """Put an identity into the queue, once; a refused one may be proposed again."""
    provider = proven.provider
    values = {
        "provider": provider.name,
        "acr": proven.acr,
        "reason": reason.value,
        "sealed": seal(pivot.as_dict(), reader=READER),
    }
    found, new = Case.objects.update_or_create(
        realm=provider.realm,
        issuer=provider.issuer,
        subject=proven.subject,
        state__in=OPEN,
        defaults=values,
        create_defaults={**values, **_identity(proven), "state": State.WAITING},
    )
    log.info(
        "federation.doubtful",
        extra={"case": found.pk, "reason": reason.value, "provider": provider.name, "new": new},
    )
    return found


def forget_old() -> None:
    """Destroy the cases that nobody decided in time, and the sign-ins that are over."""
    now = timezone.now()
    cases, _ = Case.objects.filter(created__lt=now - KEPT, state__in=OPEN).delete()
    Begun.objects.filter(expires__lt=now).delete()
    if cases:
        log.info("federation.forgotten", extra={"cases": cases})


def was_refused(proven: Proven) -> bool:
    """Tell whether a human refused this identity lately: it does not come back by itself."""
    since = timezone.now() - KEPT
    last = Case.objects.filter(**_identity(proven)).order_by("-pk").first()
    return (
        last is not None
        and last.state == State.REFUSED
        and last.decided is not None
        and last.decided > since
    )


def own(number: object) -> Case | None:
    """Return the case that a browser's session names, for its own person."""
    return Case.objects.filter(pk=number).first() if isinstance(number, int) else None


def waiting(caller: Caller) -> list[Case]:
    """Return the cases that wait, oldest first.

    Raises:
        Forbidden: the caller has not the right *identify*.
    """
    check_may_decide(caller)
    return list(Case.objects.filter(state__in=OPEN).order_by("created")[:MOST])


def read(caller: Caller, number: int) -> tuple[Case, Pivot]:
    """Return one open case and its traits.

    Raises:
        Forbidden: the caller has not the right *identify*.
        NotFound: there is no open case of this number.
    """
    check_may_decide(caller)
    found = Case.objects.filter(pk=number, state__in=OPEN).first()
    if found is None:
        raise NotFound("There is no such case, or it is decided.")
    return found, pivot_of_case(found)


def pivot_of_case(case: Case) -> Pivot:
    """Return the traits of an open case."""
    kept = unseal(case.sealed, reader=READER)
    return Pivot(**{**kept, "given": tuple(kept["given"])})


def decide(caller: Caller, account: Any, number: int, after: State, *, words: str) -> Case:
    """Refuse a case, or ask the person to the desk, with a reason.

    Raises:
        InvalidRequest: there is no reason.
        Conflict: somebody decided before.
    """
    if after == State.ACCEPTED:
        raise InvalidRequest("Accepting names the person.")
    return _change(caller, account, number, after, words=words, person="")


def accept(
    caller: Caller,
    account: Any,
    number: int,
    *,
    chosen: tuple[Candidate, Provider],
    words: str,
) -> Case:
    """Recognise a person: link the identity to their account, opened where they have none.

    Raises:
        InvalidRequest: there is no reason.
        Conflict: somebody decided before, or the identity is linked already.
    """
    person, provider = chosen
    with transaction.atomic():
        case = _change(
            caller, account, number, State.ACCEPTED, words=words, person=person.reference
        )
        proven = Proven(provider, case.subject, case.acr, {}, "")
        name = f"{person.given[0] if person.given else ''} {person.family}".strip()
        newcomer = Newcomer(person.reference, name, "patient")
        link(proven, newcomer, made="human", open_account=True)
    return case


def _change(
    caller: Caller, account: Any, number: int, after: State, *, words: str, person: str
) -> Case:
    check_may_decide(caller)
    reason = check_words(words)
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(pk=number).first()
        if case is None:
            raise NotFound("There is no such case.")
        check_change(State(case.state), after)
        case.state, case.words, case.person = after, reason, person
        case.decided_by, case.decided = account, timezone.now()
        if after not in OPEN:
            case.sealed = ""
        case.save()
    log.info("federation.decided", extra={"case": number, "state": after.value, "by": account.pk})
    return case


def chosen_of(candidates: Sequence[Candidate], reference: str) -> Candidate:
    """Return the candidate that was chosen among those just compared.

    Raises:
        InvalidRequest: none of them was.
    """
    found = next((one for one in candidates if one.reference == reference), None)
    if found is None:
        raise InvalidRequest("Choose one of the people shown.")
    return found


def _identity(proven: Proven) -> dict[str, str]:
    provider = proven.provider
    return {"realm": provider.realm, "issuer": provider.issuer, "subject": proven.subject}
