"""What stands between a request and its code: a person, a level, a patient, a choice."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import transaction

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.levels import level_asked
from hygie.domains.authorization.model.lifetimes import CODE, SESSION
from hygie.domains.authorization.orm import Asked, Code, Family, Pairing
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service.people import Proven, proven, visit_of
from hygie.domains.authorization.service.places import now
from hygie.domains.authorization.service.requesting import answered, leave
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Kind
from hygie.kernel.store.people import person_of
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import EXERCISE, caller_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.kernel.store.model import Person

MOST_PEOPLE = "200"


class Step(enum.Enum):
    """What a request still wants."""

    SIGN_IN = "login_required"
    CONFIRM = "login_required "
    STRONGER = "unmet_authentication_requirements"
    PICK = "interaction_required"
    ASK = "consent_required"
    PASS = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose: the words of the scope, and for how long."""

    scope: tuple[str, ...]
    valid: timedelta


def next_step(request: HttpRequest, asked: Asked) -> Step:
    """Return what a request still wants of the person who brings it.

    Raises:
        Forbidden: it is not theirs, or the application is not for their kind of account.
    """
    if not request.user.is_authenticated:
        return Step.SIGN_IN
    _bind(request, asked)
    known = proven(request)
    wanted = asked.parameters
    if known.level < level_asked(wanted.get("acr_values", "")):
        return Step.STRONGER
    if _is_stale(asked, known):
        return Step.CONFIRM
    if not patient_of(asked) and words.wants_patient(offered(asked)):
        return Step.PICK
    if "consent" in wanted.get("prompt", "").split() or standing(request, asked) is None:
        return Step.ASK
    return Step.PASS


def _is_stale(asked: Asked, known: Proven) -> bool:
    """Tell whether the person must be signed in again, and was not since the request came."""
    if known.auth_time >= asked.made:
        return False
    wanted = asked.parameters
    if "login" in wanted.get("prompt", "").split():
        return True
    oldest = wanted.get("max_age")
    return oldest is not None and now() - known.auth_time > timedelta(seconds=int(oldest))


def _bind(request: HttpRequest, asked: Asked) -> None:
    """Keep a request to the first account that saw it, and a launch to the one who made it."""
    account: Any = request.user
    if acting_of(request):
        raise Forbidden("Applications are opened for oneself: end acting for somebody first.")
    if account.kind != asked.app.audience:
        raise Forbidden("This application is not for this kind of account.")
    if asked.launch is not None and asked.launch.account_id != account.pk:
        raise Forbidden("This launch was made by somebody else.")
    if asked.account_id is None:
        Asked.objects.filter(pk=asked.pk, account=None).update(account=account.pk)
        asked.refresh_from_db(fields=["account"])
    if asked.account_id != account.pk:
        raise Forbidden("This request was begun by somebody else.")


def offered(asked: Asked) -> tuple[str, ...]:
    """Return the words of the scope that the person may grant."""
    allowed = words.allowed(
        asked.parameters["scope"].split(), asked.app.approved, *words.FOR_PEOPLE
    )
    without = set() if asked.launch is not None else {words.LAUNCH, words.LAUNCH_ENCOUNTER}
    return tuple(word for word in allowed if word not in without)


def patient_of(asked: Asked) -> str:
    """Return the id of the patient of a request, empty where none is chosen."""
    return str(asked.launch.patient if asked.launch is not None else asked.patient)


def people(request: HttpRequest, text: str) -> list[Person]:
    """Return who may be chosen.

    For a professional their own patients that fit a text; for anybody else themself and the people
    they represent.
    """
    caller = caller_of(request)
    if caller.kind == Kind.PROFESSIONAL:
        return ask(repository().find_mine(caller, text))
    found = ask(repository().search(caller, "Patient", [("_count", MOST_PEOPLE)]))
    bodies = [
        (one.stored.rid, msgspec.json.decode(one.stored.body or b"{}"))
        for one in found.entries
        if one.mode == "match"
    ]
    people = [person_of(rid, body) for rid, body in bodies]
    return sorted(people, key=lambda one: (one.reference != caller.reference, one.family))


def choose_patient(request: HttpRequest, asked: Asked, patient: str) -> None:
    """Choose whose record the application opens.

    Raises:
        NotFound: the person may not open it.
    """
    ask(repository().read(caller_of(request), "Patient", patient))
    asked.patient = patient
    asked.save(update_fields=["patient"])


def chosen_person(request: HttpRequest, asked: Asked) -> Person | None:
    """Return whose record the application opens, None where it opens none in particular."""
    patient = patient_of(asked)
    if not patient:
        return None
    stored = ask(repository().read(caller_of(request), "Patient", patient))
    return person_of(patient, msgspec.json.decode(stored.body or b"{}"))


def standing(request: HttpRequest, asked: Asked) -> Pairing | None:
    """Return what the person granted before, where it covers this request and goes on."""
    held = former(request, asked)
    if held is None or held.until <= now() or not words.covers(held.scope, offered(asked)):
        return None
    return held


def former(request: HttpRequest, asked: Asked) -> Pairing | None:
    """Return the pairing of this application, person and patient that was not ended."""
    return Pairing.objects.filter(
        app=asked.app, account_id=request.user.pk, patient=_paired(asked), ended=None
    ).first()


def _paired(asked: Asked) -> str:
    """Return the patient a pairing is about: a professional pairs an application once for all."""
    return patient_of(asked) if asked.app.audience == "patient" else ""


def grant(request: HttpRequest, asked: Asked, choice: Choice | None) -> str:
    """Grant a request; return the address that takes the code to the application.

    ``choice`` is None where the person granted it before.

    Raises:
        Forbidden: nothing was chosen.
    """
    with transaction.atomic():
        answered(asked)
        held = _paired_as(request, asked, choice)
        scope = tuple(offered(asked)) if choice is None else choice.scope
        family = consent(request, asked, held, scope)
        code = secrets.token_urlsafe(32)
        Code.objects.create(
            digest=digest(code),
            family=family,
            redirect_uri=asked.parameters["redirect_uri"],
            code_challenge=asked.parameters["code_challenge"],
            nonce=asked.parameters.get("nonce", ""),
            expires=now() + CODE,
        )
    told = {"code": code}
    return leave(asked.parameters["redirect_uri"], told, state=asked.parameters["state"])


def _paired_as(request: HttpRequest, asked: Asked, choice: Choice | None) -> Pairing:
    held = former(request, asked) if choice is not None else standing(request, asked)
    if choice is None:
        if held is None:
            raise Forbidden("This was not granted.")
        return held
    valid = choice.valid if words.OFFLINE in choice.scope else min(choice.valid, SESSION)
    if held is None:
        account: Any = request.user
        held = Pairing(app=asked.app, account_id=account.pk, patient=_paired(asked))
    held.scope, held.until = list(choice.scope), now() + valid
    held.save()
    return held


def consent(
    request: HttpRequest, asked: Asked, held: Pairing | None, scope: Sequence[str]
) -> Family:
    """Keep what is granted with what the session has proven."""
    known = proven(request)
    launch = asked.launch
    return Family.objects.create(
        app=asked.app,
        account_id=request.user.pk,
        pairing=held,
        scope=list(scope),
        patient=patient_of(asked),
        encounter=launch.encounter if launch is not None else "",
        level=known.level,
        amr=known.amr,
        auth_time=known.auth_time,
        exercise=request.session.get(EXERCISE),
        visit=visit_of(request),
        until=held.until if held is not None else now() + SESSION,
    )


def chosen(asked: Asked, ticked: Sequence[str], valid: timedelta) -> Choice:
    """Return the choice of a form: only what was offered, and what nobody unticks.

    Raises:
        Forbidden: no data and no identity is left.
    """
    kept = [word for word in offered(asked) if word in words.KEPT or word in ticked]
    if not kept:
        raise Forbidden("Choose at least one thing, or refuse.")
    return Choice(tuple(kept), valid)
