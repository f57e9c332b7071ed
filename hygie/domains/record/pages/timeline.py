"""The timeline of a record, with its filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from hygie.domains.record import service
from hygie.domains.record.model.timeline import Day, Item, Kind
from hygie.domains.record.pages.reading import in_record, is_plain

CLINICAL: dict[Kind, Promise] = {
    Kind.ENCOUNTER: _("Venue"),
    Kind.RESULT: _("Compte rendu"),
    Kind.MEASURE: _("Mesure, résultat"),
    Kind.TREATMENT: _("Prescription"),
    Kind.VACCINE: _("Vaccination"),
    Kind.PROBLEM: _("Problème"),
    Kind.ALLERGY: _("Allergie"),
    Kind.PROCEDURE: _("Acte"),
    Kind.DOCUMENT: _("Document"),
}
PLAIN: dict[Kind, Promise] = {
    Kind.ENCOUNTER: _("Rendez-vous, séjour"),
    Kind.RESULT: _("Bilan"),
    Kind.MEASURE: _("Mesure, analyse"),
    Kind.TREATMENT: _("Médicament"),
    Kind.VACCINE: _("Vaccin"),
    Kind.PROBLEM: _("Maladie, problème"),
    Kind.ALLERGY: _("Allergie"),
    Kind.PROCEDURE: _("Soin, opération"),
    Kind.DOCUMENT: _("Document"),
}
YEARS = {"1": 1, "5": 5, "10": 10}
FILTERS = ("kind", "years")


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Show one page of the timeline."""
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    wish = service.wish_of(
        chosen["kind"], _since(chosen["years"]), "", request.GET.get("before", "")
    )
    words = PLAIN if is_plain(request) else CLINICAL
    work = service.with_person(lambda reader: service.timeline(reader, wish))
    person, page = in_record(request, patient, work)
    context = {
        "person": person,
        "days": [(day.day, _by_kind(day, words)) for day in page.days],
        "kinds": list(words.items()),
        "kind": chosen["kind"],
        "years": chosen["years"],
        "older": urlencode({**chosen, "before": page.before}) if page.before else "",
        "newest": urlencode(chosen) if wish.before else "",
    }
    return render(request, "record/timeline.html", context)


def _by_kind(day: Day, words: Mapping[Kind, Promise]) -> list[tuple[Promise, list[Item]]]:
    """Gather the lines of a day by kind: the twenty results of one blood test are one block."""
    return [
        (words[kind], list(lines)) for kind, lines in groupby(day.items, key=lambda one: one.kind)
    ]


def _since(years: str) -> str:
    back = YEARS.get(years)
    if back is None:
        return ""
    today = timezone.localdate()
    return date(today.year - back, today.month, min(today.day, 28)).isoformat()
