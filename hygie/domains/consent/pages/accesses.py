"""Who saw a record, live, with filters and a download."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.model.accesses import How, Seen, Wish
from hygie.domains.consent.pages.reading import day_of, in_record, is_own, language
from hygie.domains.consent.service.accesses import accesses, as_csv, as_ndjson
from hygie.kernel.errors import InvalidRequest

HOW: dict[How, Promise] = {
    How.READ: _("a lu"),
    How.SEARCH: _("a consulté"),
    How.ADDED: _("a ajouté"),
    How.CHANGED: _("a modifié"),
    How.REMOVED: _("a retiré"),
    How.OPERATION: _("a demandé"),
    How.COUNTED: _("a compté, sur tout un groupe de personnes,"),
}
TRIED: dict[How, Promise] = {
    How.READ: _("a essayé de lire"),
    How.SEARCH: _("a essayé de consulter"),
    How.ADDED: _("a essayé d’ajouter"),
    How.CHANGED: _("a essayé de modifier"),
    How.REMOVED: _("a essayé de retirer"),
    How.OPERATION: _("a essayé de demander"),
}
"""What was refused."""
FILTERS: dict[How, Promise] = {
    How.READ: _("Lectures"),
    How.SEARCH: _("Consultations de listes et de pages"),
    How.ADDED: _("Ajouts"),
    How.CHANGED: _("Modifications"),
    How.REMOVED: _("Retraits"),
}
KINDS: dict[str, Promise] = {
    "": _("une page du dossier"),
    "AllergyIntolerance": _("les allergies"),
    "Appointment": _("les rendez-vous"),
    "AuditEvent": _("la liste de ceux qui ont vu"),
    "Binary": _("un fichier"),
    "CareTeam": _("l’équipe de soins"),
    "Condition": _("les problèmes de santé"),
    "Consent": _("les choix sur le dossier"),
    "Coverage": _("les droits d’assurance"),
    "DiagnosticReport": _("les comptes rendus d’examen"),
    "DocumentReference": _("les documents"),
    "Encounter": _("les venues et les consultations"),
    "Immunization": _("les vaccins"),
    "MedicationRequest": _("les ordonnances"),
    "MedicationStatement": _("les médicaments pris"),
    "Observation": _("les mesures et les analyses"),
    "Patient": _("l’identité"),
    "Procedure": _("les actes"),
    "RelatedPerson": _("les proches"),
    "Task": _("un accès en urgence ou une demande"),
}
ONE: dict[str, Promise] = {
    "AllergyIntolerance": _("une allergie"),
    "Condition": _("un problème de santé"),
    "Consent": _("un choix sur le dossier"),
    "DiagnosticReport": _("un compte rendu d’examen"),
    "DocumentReference": _("un document"),
    "Encounter": _("une venue"),
    "Immunization": _("un vaccin"),
    "MedicationRequest": _("une ordonnance"),
    "MedicationStatement": _("un médicament pris"),
    "Observation": _("une mesure ou une analyse"),
    "Procedure": _("un acte"),
}
OTHER = _("une autre partie du dossier")


@dataclass(frozen=True, slots=True)
class Line:
    """One access as the page shows it; ``report`` is where an abnormal one is reported."""

    seen: Seen
    did: str
    what: str
    item: str
    report: str


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Show the accesses to the whole record."""
    return _render(request, patient, "")


def show_item(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Show the accesses to one item."""
    return _render(request, patient, f"{rt}/{rid}")


def download(request: HttpRequest, patient: str) -> HttpResponse:
    """Send every access that the filters keep: a table, or FHIR AuditEvents one a line.

    Raises:
        InvalidRequest: another format is asked for.
    """
    wish, told = _wish(request, request.GET.get("item", "")), language()
    form = request.GET.get("format", "csv")
    if form == "csv":
        _whose, table = in_record(request, patient, lambda one: as_csv(one, wish, language=told))
        # Spreadsheets read UTF-8 only behind this mark.
        return _file(f"\ufeff{table}".encode(), "text/csv; charset=utf-8", "acces.csv")
    if form == "ndjson":
        _whose, lines = in_record(request, patient, lambda one: as_ndjson(one, wish))
        return _file(lines, "application/fhir+ndjson", "AuditEvent.ndjson")
    raise InvalidRequest("Ask for csv or ndjson.")


def _file(body: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _render(request: HttpRequest, patient: str, item: str) -> HttpResponse:
    wish, told = _wish(request, item), language()
    whose, page = in_record(request, patient, lambda one: accesses(one, wish, language=told))
    kept = {
        name: value
        for name, value in request.GET.items()
        if value and name in ("since", "until", "who", "how", "emergencies", "refusals", "own")
    }
    context = {
        "person": whose,
        "patient": patient,
        "own": is_own(request, patient),
        "item": item,
        "told": page.told,
        "declared": page.declared,
        "wish": wish,
        "lines": [_line(one, patient, item) for one in page.entries],
        "filters": [(how.value, str(text), wish.how is how) for how, text in FILTERS.items()],
        "who": next((one.name for one in page.entries if wish.who and one.who == wish.who), ""),
        "filtered": bool(kept),
        "kept": urlencode(kept | ({"item": item} if item else {})),
        "older": urlencode({**kept, "after": page.after}) if page.after else "",
        "newest": urlencode(kept) if wish.after else None,
    }
    return render(request, "consent/accesses.html", context)


def _wish(request: HttpRequest, item: str) -> Wish:
    asked = request.GET
    try:
        how = How(asked["how"]) if asked.get("how") else None
    except ValueError as unknown:
        raise InvalidRequest("This filter does not exist.") from unknown
    return Wish(
        since=day_of(asked.get("since", "")),
        until=day_of(asked.get("until", "")),
        who=asked.get("who", ""),
        how=how,
        emergencies="emergencies" in asked,
        refusals="refusals" in asked,
        own="own" in asked,
        item=item,
        after=asked.get("after", ""),
    )


def _line(seen: Seen, patient: str, item: str) -> Line:
    rt, _slash, rid = seen.item.partition("/")
    what = ONE.get(rt) if rid else None
    shown = "" if item or not rid else _address("patient:record:item", patient, rt=rt, rid=rid)
    return Line(
        seen=seen,
        did=str(TRIED.get(seen.how, HOW[seen.how]) if seen.refused else HOW[seen.how]),
        what=str(what or KINDS.get(seen.kind, OTHER)),
        item=shown if rt in ONE else "",
        report=""
        if seen.own or seen.program or seen.refused
        else _address("patient:oversight:report", patient, event=seen.id),
    )


def _address(name: str, patient: str, **parts: str) -> str:
    """Return the address of a page of another domain, empty where that domain is not there."""
    try:
        return reverse(name, kwargs={"patient": patient, **parts})
    except NoReverseMatch:
        return ""
