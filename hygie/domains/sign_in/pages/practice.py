"""The practice opens an account for its patient: a sheet is printed, and who printed it is kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from hygie.domains.sign_in.pages.desk import print_sheet
from hygie.domains.sign_in.pages.security import confirmed
from hygie.domains.sign_in.service import codes, desk
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

WHOLE_DAY = len("1958-05-03")


@confirmed
def sheet(request: HttpRequest, patient: str) -> HttpResponse:
    """Offer, then print, the activation sheet of a patient whose record one may read."""
    stored = ask(repository().read(caller_of(request), "Patient", patient))
    person: dict[str, Any] = msgspec.json.decode(stored.body or b"{}")
    birth, name = person.get("birthDate", ""), _name(person)
    known = len(birth) == WHOLE_DAY
    account = desk.account_of(stored.reference)
    active = account is not None and desk.is_in_use(account)
    if request.method == "POST" and known and not active:
        opened = desk.open_account(stored.reference, name)
        code = codes.print_sheet(opened, date.fromisoformat(birth), by=_me(request))
        return print_sheet(request, opened, code)
    told = {"name": name, "known": known, "active": active, "patient": patient}
    return render(request, "desk/practice.html", told)


def _me(request: HttpRequest) -> Any:
    return request.user


def _name(person: dict[str, Any]) -> str:
    names = person.get("name") or [{}]
    chosen = next((one for one in names if one.get("use") == "usual"), names[0])
    if text := chosen.get("text"):
        return str(text)
    return " ".join([*chosen.get("given", [])[:1], chosen.get("family", "").upper()]).strip()


app_name = "accounts"
urlpatterns = [path("<str:patient>/", sheet, name="sheet")]
