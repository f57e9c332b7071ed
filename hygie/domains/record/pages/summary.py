"""The summary of a record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from hygie.domains.record import service
from hygie.domains.record.model import tables
from hygie.domains.record.model.curve import Curve, curve
from hygie.domains.record.model.summary import Measure, Summary
from hygie.domains.record.model.vaccines import Due, due
from hygie.domains.record.pages.reading import in_french, in_record, is_plain
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import account_of, caller_of

LAST_VACCINES = 4
SHOWN_MEASURES = 10
WHOLE_DATE = len("2024-01-31")


@dataclass(frozen=True, slots=True)
class MeasureCard:
    """A measure as its card shows it."""

    label: str
    measure: Measure
    curve: Curve | None


def mine(request: HttpRequest) -> HttpResponse:
    """Open the one record this account may read, or let a helper choose among several.

    Raises:
        NotFound: the account may read no record.
    """
    account = account_of(request)
    own = (account.fhir_reference if account else "").partition("/")[2]
    people = ask(service.people(repository(), caller_of(request)))
    if not people:
        raise NotFound("This account may read no record.")
    if len(people) == 1:
        portal = request.resolver_match.namespaces[0] if request.resolver_match else None
        address = reverse("portal:record:summary", args=[people[0].id], current_app=portal)
        return redirect(address)
    ordered = sorted(people, key=lambda one: (one.id != own, one.name))
    return render(request, "record/people.html", {"people": ordered, "own": own})


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Show the summary."""
    read = in_record(request, patient, service.summary)
    account = account_of(request)
    own = account is not None and account.fhir_reference == f"Patient/{patient}"
    cards = [_card(request, one) for one in read.measures]
    context = {
        "person": read.person,
        "own": own,
        "summary": read,
        "measures": cards[:SHOWN_MEASURES],
        "more_measures": cards[SHOWN_MEASURES:],
        "due": _due(read),
        "last_vaccines": read.vaccines.entries[:LAST_VACCINES],
        "high_allergies": [one for one in read.allergies.entries if one.high],
    }
    face = "plain" if is_plain(request) else "clinical"
    return render(request, f"record/summary_{face}.html", context)


def _card(request: HttpRequest, measure: Measure) -> MeasureCard:
    words = {
        (True, True): measure.plain_fr,
        (True, False): measure.plain_en,
        (False, True): measure.label_fr,
        (False, False): measure.label_en,
    }
    return MeasureCard(words[is_plain(request), in_french()], measure, curve(measure))


def _due(read: Summary) -> list[tuple[str, Due]]:
    """Return the vaccines that are due with their names; none for the dead or an unknown age."""
    birth = read.person.birth_date
    given = read.vaccines.entries
    if read.person.deceased or len(birth) < WHOLE_DATE:
        return []
    found = due(date.fromisoformat(birth), given, tables.calendar(), at=timezone.localdate())
    return [(one.rule.label_fr if in_french() else one.rule.label_en, one) for one in found]
