"""Mask an item from professionals, or show it again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hygie.domains.consent.pages.choices import back
from hygie.domains.consent.pages.reading import in_record, language
from hygie.domains.consent.service.visibility import who_can_see
from hygie.kernel.security.labels import Label
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of


def mask(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Say what masking changes and for whom, then mask or unmask."""
    told = language()
    whose, found = in_record(
        request, patient, lambda opened: who_can_see(opened, item=(rt, rid), language=told)
    )
    if request.method == "POST":
        label, none = Label.MASKED_FROM_PROFESSIONALS, Label(0)
        add, remove = (none, label) if found.masked else (label, none)
        ask(repository().relabel(caller_of(request), rt, rid, add=add, remove=remove))
        return back(patient, "unmask" if found.masked else "mask")
    context = {
        "person": whose,
        "patient": patient,
        "found": found,
        "rt": rt,
        "rid": rid,
    }
    return render(request, "consent/mask.html", context)
