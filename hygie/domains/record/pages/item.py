"""One item of a record, and its FHIR source."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.record import service
from hygie.domains.record.pages.reading import in_record, is_plain
from hygie.domains.record.pages.timeline import CLINICAL, PLAIN

ROWS: dict[str, Promise] = {
    "date": _("Date"),
    "value": _("Contenu"),
    "range": _("Valeurs habituelles"),
    "interpretation": _("Interprétation"),
    "reason": _("Motif"),
    "place": _("Lieu"),
    "who": _("Par"),
    "note": _("Remarque"),
}


def show(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Show one item in words."""
    return _render(request, patient, (rt, rid), "record/item.html")


def source(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Show the FHIR resource, indented, every digit as it is stored."""
    return _render(request, patient, (rt, rid), "record/source.html")


def _render(
    request: HttpRequest, patient: str, which: tuple[str, str], template: str
) -> HttpResponse:
    work = service.with_person(lambda reader: service.detail(reader, *which))
    person, detail = in_record(request, patient, work)
    words = PLAIN if is_plain(request) else CLINICAL
    context = {
        "person": person,
        "detail": detail,
        "kind": words[detail.item.kind] if detail.item else which[0],
        "rows": [(ROWS[name], name, text) for name, text in detail.rows if name in ROWS],
        "title": next((text for name, text in detail.rows if name == "title"), detail.reference),
        "rt": which[0],
        "rid": which[1],
    }
    return render(request, template, context)
