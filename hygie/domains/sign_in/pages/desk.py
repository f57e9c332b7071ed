"""The desk of an establishment: activation sheets, recoveries by two people, letters to print."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hygie.domains.sign_in.model.telling import Channel
from hygie.domains.sign_in.orm import Message
from hygie.domains.sign_in.pages.forms import PAPER_WORDS, DeskForm
from hygie.domains.sign_in.pages.security import confirmed
from hygie.domains.sign_in.service import codes, desk
from hygie.domains.sign_in.service.door import find
from hygie.domains.sign_in.service.telling import send
from hygie.kernel.errors import Conflict, Forbidden
from hygie.kernel.web.bridge import platform

HOME = "establishment:accounts:home"
SHOWN = 100


def home(request: HttpRequest) -> HttpResponse:
    """List what waits: recoveries to approve, letters to print."""
    told = {
        "recoveries": [(one, PAPER_WORDS[one.paper]) for one in desk.open_ones()],
        "letters": _letters().count(),
        "unsent": _unsent().count(),
        "done": request.GET.get("done", ""),
        "me": request.user,
    }
    return render(request, "desk/home.html", told)


@confirmed
def sheet(request: HttpRequest) -> HttpResponse:
    """Print an activation sheet for an account that exists."""
    return _asked(request, recovery=False)


@confirmed
def recovery(request: HttpRequest) -> HttpResponse:
    """Ask for a recovery, with the person at the desk."""
    return _asked(request, recovery=True)


@require_POST
@confirmed
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Approve the request of a colleague and print its sheet, or refuse it."""
    me: Any = request.user
    try:
        if request.POST.get("answer") != "approve":
            desk.refuse(number, by=me)
            return redirect(f"/{me.portal()}/accounts/?done=refused")
        found, code = desk.approve(number, by=me)
    except (Conflict, Forbidden):
        return redirect(f"/{me.portal()}/accounts/?done=impossible")
    return print_sheet(request, found.account, code, opens=found.opens, recovery=True)


def letters(request: HttpRequest) -> HttpResponse:
    """Show the letters that wait, one a page, for the printer."""
    waiting = list(_letters().select_related("account").order_by("made")[:SHOWN])
    return render(request, "desk/letters.html", {"letters": waiting})


@require_POST
def printed(request: HttpRequest) -> HttpResponse:
    """Say that the letters which were shown are printed; what failed to leave is tried again."""
    if request.POST.get("again"):
        for one in _unsent().select_related("account")[:SHOWN]:
            send(one)
        return redirect(HOME)
    numbers = [int(text) for text in request.POST.getlist("letter") if text.isdigit()]
    _letters().filter(pk__in=numbers).update(sent=timezone.now())
    return redirect(HOME)


def print_sheet(
    request: HttpRequest, account: Any, code: str, *, opens: Any = None, recovery: bool = False
) -> HttpResponse:
    """Show a sheet that is printed as it is; it is shown this once and kept nowhere."""
    told = {
        "person": account,
        "code": code,
        "opens": opens if opens and opens > timezone.now() else None,
        "recovery": recovery,
        "address": f"{platform().settings.base_url}/sign-in/activate/",
        "by": request.user,
        "day": timezone.localdate(),
    }
    answer = render(request, "desk/sheet.html", told)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked(request: HttpRequest, *, recovery: bool) -> HttpResponse:
    me: Any = request.user
    form = DeskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = find(form.cleaned_data["login"])
        if account is None or not account.is_active:
            form.add_error("login", _("Aucun compte ouvert n’a ce nom."))
        elif account.pk == me.pk:
            form.add_error("login", _("Personne ne s’occupe de son propre compte."))
        elif not recovery and desk.is_in_use(account):
            form.add_error("login", _("Ce compte est déjà activé. Demandez une récupération."))
        elif not recovery:
            code = codes.print_sheet(account, form.cleaned_data["birth"], by=me)
            return print_sheet(request, account, code)
        else:
            return _begin(request, form, account)
    return render(request, "desk/ask.html", {"form": form, "recovery": recovery})


def _begin(request: HttpRequest, form: DeskForm, account: Any) -> HttpResponse:
    me: Any = request.user
    given = form.cleaned_data
    try:
        desk.ask(account, by=me, paper=given["paper"], birth=given["birth"])
    except Conflict:
        form.add_error("login", _("Une récupération de ce compte est déjà ouverte."))
        return render(request, "desk/ask.html", {"form": form, "recovery": True})
    return redirect(f"/{me.portal()}/accounts/?done=asked")


def _letters() -> Any:
    return Message.objects.filter(channel=Channel.LETTER.value, sent=None)


def _unsent() -> Any:
    return Message.objects.filter(sent=None).exclude(channel=Channel.LETTER.value)


app_name = "accounts"
urlpatterns = [
    path("", home, name="home"),
    path("sheet/", sheet, name="sheet"),
    path("recovery/", recovery, name="recovery"),
    path("recovery/<int:number>/", decide, name="decide"),
    path("letters/", letters, name="letters"),
    path("letters/printed/", printed, name="printed"),
]
