"""Announce a result: lift what kept it from the person until a visit."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hygie.domains.consent.pages.reading import in_record
from hygie.domains.consent.service.people import bodies
from hygie.domains.consent.service.visiting import Opened
from hygie.kernel.errors import NotFound
from hygie.kernel.security.labels import Label
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

KINDS = frozenset({"DocumentReference", "DiagnosticReport", "Observation"})
"""What may wait for an announcement visit."""


def announce(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Ask whether the person was told, then show them the result.

    Raises:
        NotFound: the caller may not read it, or it cannot wait for an announcement.
    """
    if rt not in KINDS:
        raise NotFound("This is no result.")

    async def work(opened: Opened) -> str:
        found = await bodies(opened.visit, rt, [("_id", rid), ("patient", patient)])
        if not found:
            raise NotFound("This result is not of this record.")
        return str(found[0].get("description") or found[0].get("code", {}).get("text", ""))

    whose, title = in_record(request, patient, work)
    if request.method == "POST":
        hidden = Label.HIDDEN_FROM_PATIENT
        ask(repository().relabel(caller_of(request), rt, rid, add=Label(0), remove=hidden))
        return redirect("professional:record:item", patient=patient, rt=rt, rid=rid)
    context = {"person": whose, "patient": patient, "title": title, "rt": rt, "rid": rid}
    return render(request, "consent/announce.html", context)
