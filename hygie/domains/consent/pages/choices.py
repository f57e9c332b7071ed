"""The choices about a record: one page that shows them all, and one to confirm each change."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.model.choices import Choices, Member, Span, Standing
from hygie.domains.consent.model.constants import needs_initial_consent
from hygie.domains.consent.model.events import EVENTS
from hygie.domains.consent.model.states import RecordState
from hygie.domains.consent.pages.acts import ACTS, Act, Order
from hygie.domains.consent.pages.reading import Opened, in_record, is_own, language, now
from hygie.domains.consent.service.choices import record_within
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.stepping_up import confirm_identity

STANDINGS: dict[Standing, Promise] = {
    Standing.PARENT: _("Parent : lit et décide"),
    Standing.GUARDIAN: _("Tuteur ou tutrice : lit et décide"),
    Standing.MANDATE: _("Représentant choisi : lit et décide"),
    Standing.HELPER: _("Aidant : lit tout le dossier"),
    Standing.ADMINISTRATIVE: _("Aidant pour les démarches : lit les papiers administratifs"),
}
DONE: dict[str, Promise] = {
    "member": _("Cette personne fait partie de votre équipe de soins."),
    "access": _("Cette personne a accès à votre dossier."),
    "block": _("Cette personne est bloquée : elle ne lit plus rien."),
    "helper": _("Cette personne agit en votre nom."),
    "first": _("Vos choix sont enregistrés. Vous pouvez les changer ici à tout moment."),
    "mask": _("Ce document est masqué."),
    "unmask": _("Cet élément n’est plus masqué."),
    "reached": _(
        "Cet élément reste masqué avec la visite ou le compte rendu auquel il appartient. "
        "Ne masquez plus cette visite ou ce compte rendu : cet élément suivra."
    ),
}
STATES: dict[RecordState, Promise] = {
    RecordState.PENDING: _("en attente de votre choix"),
    RecordState.OPENED: _("ouvert"),
    RecordState.OPPOSED: _("refusé"),
    RecordState.CLOSED: _("fermé"),
    RecordState.REOPENED: _("rouvert"),
    RecordState.DESTROYED: _("détruit"),
}


async def read(opened: Opened) -> Choices:
    """Return the choices of a record, in the visit of a page."""
    record = await record_within(opened.repository, opened.visit, opened.patient, at=now())
    return record.choices


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Show everything decided about a record."""
    whose, found = in_record(request, patient, read)
    done = request.GET.get("done", "")
    said = ACTS[done].done if done in ACTS else DONE.get(done, "")
    context = {
        "person": whose,
        "patient": patient,
        "own": is_own(request, patient),
        "choices": found,
        "state": STATES[found.state],
        "closed": found.state in (RecordState.CLOSED, RecordState.OPPOSED),
        "opposed": found.state is RecordState.OPPOSED,
        "may_oppose": found.state in (RecordState.PENDING, RecordState.OPENED),
        "members": [(one, _since(one), _last_day(one.span)) for one in found.members],
        "delegates": [
            (one, STANDINGS[one.standing], _last_day(one.span)) for one in found.delegates
        ],
        "needs_consent": needs_initial_consent(found.at.date()),
        "done": said,
        "helping": _helping(patient),
        "undone": done == "reached",
    }
    return render(request, "consent/choices.html", context)


def _helping(patient: str) -> str:
    """Return the page of invitations, empty where its domain is not there."""
    try:
        return reverse("patient:helping:who", kwargs={"patient": patient})
    except NoReverseMatch:
        return ""


def _since(member: Member) -> str:
    event = EVENTS.latest().get((member.since_event or "",))
    return event.label(language()) if event else ""


def _last_day(span: Span) -> date | None:
    """Return the last day that is still good, None where nothing ends."""
    return None if span.ends is None else localtime(span.ends - timedelta(seconds=1)).date()


def act(request: HttpRequest, patient: str, name: str, key: str = "") -> HttpResponse:
    """Ask to confirm an act, then do it.

    Raises:
        NotFound: there is no such act.
    """
    found = ACTS.get(name)
    if found is None:
        raise NotFound("There is no such choice.")
    if found.sensitive and (asked := confirm_identity(request)):
        return asked
    if request.method == "POST":
        order = Order(repository(), caller_of(request), patient, key, now())
        ask(found.do(order))
        return back(patient, name)
    return _confirm(request, patient, found, key)


def _confirm(request: HttpRequest, patient: str, found: Act, key: str) -> HttpResponse:
    whose, choices = in_record(request, patient, read)
    named = [(one.key, one.who.name) for one in choices.members]
    named += [(one.key, one.who.name) for one in (*choices.accesses, *choices.blocks)]
    named += [(one.key, one.who.name) for one in choices.delegates]
    about = dict(named).get(key, "")
    context = {"person": whose, "patient": patient, "act": found, "about": about}
    return render(request, "consent/act.html", context)


def back(patient: str, done: str) -> HttpResponse:
    """Return to the page of choices, which says what was done."""
    return redirect(
        f"{reverse('patient:consent:choices', kwargs={'patient': patient})}?done={done}"
    )
