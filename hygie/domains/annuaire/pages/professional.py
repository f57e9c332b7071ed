"""The annuaire of the professionals' portal, and what each lets everybody read of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hygie.domains.annuaire.fhir.reading import Professional
from hygie.domains.annuaire.model.listing import LANGUAGES, Access, Listing, Sector
from hygie.domains.annuaire.pages import patient
from hygie.domains.annuaire.pages.asking import language, now, today
from hygie.domains.annuaire.pages.words import ACCESS, LANGUAGE_NAMES, SECTORS
from hygie.domains.annuaire.service import publishing
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

HOME = "professional:annuaire:mine"
DONE: dict[str, Promise] = {
    "shown": gettext_lazy("C’est public. Vous pouvez tout retirer à tout moment."),
    "ended": gettext_lazy("Plus rien de ce lieu n’est public."),
}


def mine(request: HttpRequest) -> HttpResponse:
    """Show the places of practice of who asks, and what is public of each."""
    one, own = _mine(request)
    done = DONE.get(request.GET.get("done", ""), "")
    return render(request, "annuaire/mine.html", {"one": one, "own": own, "done": done})


def choose(request: HttpRequest, role: str) -> HttpResponse:
    """Choose what is public of one place of practice.

    Raises:
        NotFound: it is no role of who asks.
        Forbidden: nobody vouches for the professional.
    """
    one, own = _mine(request)
    held = next((each for each in own if each.role.id == role), None)
    if held is None:
        raise NotFound("This is no role of yours.")
    fault, typed = "", held.listing or Listing(address=True)
    if request.method == "POST":
        typed = _listing(request.POST)
        try:
            ask(publishing.publish(repository(), caller_of(request), role, listing=typed, at=now()))
        except InvalidRequest:
            fault = _(
                "Vérifiez le téléphone (chiffres et espaces), l’adresse de rendez-vous (elle "
                "commence par https://) et les tarifs (300 caractères au plus)."
            )
        else:
            return redirect(f"{reverse(HOME)}?done=shown")
    context = {
        "one": one,
        "held": held,
        "typed": typed,
        "fault": fault,
        "languages": [(code, LANGUAGE_NAMES[code], code in typed.languages) for code in LANGUAGES],
        "access": [(each.value, ACCESS[each], each in typed.accessibility) for each in Access],
        "sectors": [(each.value, SECTORS[each], each == typed.sector) for each in Sector],
    }
    return render(request, "annuaire/choose.html", context, status=400 if fault else 200)


def end(request: HttpRequest, role: str) -> HttpResponse:
    """End what is public of one place of practice, at once.

    Raises:
        NotFound: it is no role of who asks.
    """
    if request.method == "POST":
        ask(publishing.withdraw(repository(), caller_of(request), role, at=now()))
    return redirect(f"{reverse(HOME)}?done=ended")


def _mine(request: HttpRequest) -> tuple[Professional, list[publishing.Own]]:
    work = publishing.mine(repository(), caller_of(request), language=language(), on=today())
    return ask(work)


def _listing(form: QueryDict) -> Listing:
    chosen, sector = set(form.getlist("access")), form.get("sector", "")
    return Listing(
        address=form.get("address") == "on",
        phone=" ".join(form.get("phone", "").split()),
        languages=tuple(code for code in LANGUAGES if code in form.getlist("language")),
        accessibility=tuple(one for one in Access if one.value in chosen),
        sector=Sector(sector) if sector in set(Sector) else None,
        fees=" ".join(form.get("fees", "").split()),
        booking=form.get("booking", "").strip(),
    )


app_name = "annuaire"
urlpatterns = [
    path("mine/", mine, name="mine"),
    path("mine/<str:role>/", choose, name="choose"),
    path("mine/<str:role>/end/", end, name="end"),
    *patient.urlpatterns,
]
