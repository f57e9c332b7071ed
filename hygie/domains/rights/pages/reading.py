"""What the pages of the rights share: who asks, when, in which language, and printed values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from hygie.domains.rights.model.register import resource_label
from hygie.domains.rights.model.requests import Right, State
from hygie.domains.rights.model.retention import Verdict, table
from hygie.domains.rights.service.words import Language
from hygie.kernel.security.caller import Caller
from hygie.kernel.web.caller import account_of, caller_of

STATES: dict[State, Promise] = {
    State.REQUESTED: _("En attente de réponse"),
    State.COMPLETED: _("Faite"),
    State.REJECTED: _("Refusée"),
    State.CANCELLED: _("Annulée"),
}
RIGHTS: dict[Right, Promise] = {
    Right.RECTIFICATION: _("Correction"),
    Right.ERASURE: _("Effacement"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict of an erasure as a page prints it.

    Attributes:
        label: what it is about.
        basis: the text that decides.
        erased: whether it may be, or was, erased.
        until: first day on which it may be erased, None where that is now or unknown.
        confirmed: whether the row was read in its source.
    """

    label: str
    basis: str
    erased: bool
    until: date | None
    confirmed: bool


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def language() -> Language:
    """Return the language of the page."""
    return "fr" if get_language() == "fr" else "en"


def caller(request: HttpRequest) -> Caller:
    """Return who asks."""
    return caller_of(request)


def own_id(request: HttpRequest) -> str:
    """Return the id of the Patient that the account is, empty where it is none."""
    account = account_of(request)
    rt, _sep, rid = (account.fhir_reference if account else "").partition("/")
    return rid if rt == "Patient" else ""


def told(verdict: Verdict, *, at: date) -> Told:
    """Return a verdict in the words of the page's language."""
    row = table().row(verdict.key, at=at)
    french = language() == "fr"
    return Told(
        row.value.label_fr if french else row.value.label_en,
        row.value.basis_fr if french else row.value.basis_en,
        verdict.erased,
        verdict.until,
        row.validity.confirmed,
    )


def kind(rt: str) -> str:
    """Return the plain name of a resource type."""
    return resource_label(rt, language())
