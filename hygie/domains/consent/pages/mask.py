"""Mask an item from professionals, or show it again.

A mask that a deleted visit or report left on it is lifted too; one that reaches it from what still
stands is not, and the page says so.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hygie.domains.consent.model.visibility import Visibility
from hygie.domains.consent.pages.choices import back
from hygie.domains.consent.pages.reading import in_record, language
from hygie.domains.consent.service.visibility import who_can_see
from hygie.domains.consent.service.visiting import Whose
from hygie.kernel.security.labels import Label
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of


def mask(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Say what masking changes and for whom, then mask or unmask."""
    whose, found = _seen(request, patient, (rt, rid))
    if request.method == "POST":
        label, none = Label.MASKED_FROM_PROFESSIONALS, Label(0)
        add, remove = (none, label) if found.masked else (label, none)
        ask(repository().relabel(caller_of(request), rt, rid, add=add, remove=remove))
        if not found.masked:
            return back(patient, "mask")
        return back(
            patient, "reached" if _seen(request, patient, (rt, rid))[1].masked else "unmask"
        )
    context = {
        "person": whose,
        "patient": patient,
        "found": found,
        "rt": rt,
        "rid": rid,
    }
    return render(request, "consent/mask.html", context)


def _seen(
    request: HttpRequest, patient: str, item: tuple[str, str]
) -> tuple[Whose | None, Visibility]:
    told = language()
    return in_record(request, patient, lambda opened: who_can_see(opened, item=item, language=told))
