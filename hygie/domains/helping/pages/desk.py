"""Assist somebody at a desk: who it is, for what, the form to sign, then the minutes run."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from hygie.domains.helping.model import limits
from hygie.domains.helping.model.desk import Stage
from hygie.domains.helping.orm import DeskMandate
from hygie.domains.helping.pages.asking import account, now
from hygie.domains.helping.pages.identity import IdentityForm, identify
from hygie.domains.helping.service import desk
from hygie.kernel.security.caller import Right
from hygie.kernel.web.acting import act_for
from hygie.kernel.web.bridge import repository
from hygie.kernel.web.caller import caller_of

SHOWN = 20


class AssistanceForm(IdentityForm):
    """Who the person is, what they ask, where and for how long."""

    act = forms.CharField(
        label=_("La démarche demandée"),
        max_length=300,
        help_text=_("Une seule, par exemple : retrouver une attestation de droits"),
        error_messages={"required": _("Écrivez la démarche que la personne demande.")},
    )
    place = forms.CharField(
        label=_("Le guichet"),
        max_length=200,
        error_messages={"required": _("Écrivez où vous êtes, comme : France Services de Sizun.")},
    )
    minutes = forms.IntegerField(
        label=_("Pendant combien de minutes"),
        min_value=1,
        max_value=60,
        error_messages={
            "required": _("Choisissez une durée."),
            "min_value": _("Choisissez de 1 à 60 minutes."),
            "max_value": _("Choisissez de 1 à 60 minutes."),
        },
    )


def start(request: HttpRequest) -> HttpResponse:
    """List what this agent did today, and prepare another mandate."""
    agent = agent_of(request)
    may = Right.DESK in agent.caller.rights
    usual = limits.amount("desk-usual", "minutes", at=localdate())
    form = AssistanceForm(request.POST or None, initial={"minutes": usual})
    if request.method == "POST":
        desk.check_may_assist(agent.caller)
        person = identify(request, form) if form.is_valid() else None
        if person is not None:
            told = form.cleaned_data
            wanted = desk.Assistance(told["act"], told["place"], told["minutes"])
            made = desk.prepare(agent, person, wanted, at=now())
            return redirect("establishment:helping:paper", number=made.pk)
    held = DeskMandate.objects.filter(account_id=agent.account.pk).order_by("-created")[:SHOWN]
    context = {
        "may": may,
        "form": form,
        "held": [(one, _stage(one)) for one in held] if may else [],
    }
    return render(request, "helping/desk.html", context, status=422 if form.errors else 200)


def paper(request: HttpRequest, number: int) -> HttpResponse:
    """Show the form to print; once it is signed, act for the person, and for nobody else."""
    agent = agent_of(request)
    mandate = desk.mandate_of(agent, number)
    with override("fr"):
        text = render_to_string("helping/mandate.txt", {"mandate": mandate, "agent": agent.name})
    wrong = False
    if request.method == "POST" and "drop" in request.POST:
        desk.change(mandate, Stage.DROPPED, at=now(), ends=None)
        return redirect("establishment:helping:desk")
    if request.method == "POST":
        if "signed" in request.POST:
            act_for(request, desk.sign(repository(), agent, mandate, text=text, at=now()))
            return redirect("patient:home:home")
        wrong = True
    context = {
        "mandate": mandate,
        "agent": agent.name,
        "waits": mandate.state == Stage.PRINTED.value,
        "wrong": wrong,
    }
    return render(request, "helping/paper.html", context, status=422 if wrong else 200)


def _stage(mandate: DeskMandate) -> str:
    """Return the stage; a signed mandate is over once its minutes are."""
    over = mandate.ends is not None and mandate.ends <= now()
    return Stage.ENDED.value if over and mandate.starts else mandate.state


def agent_of(request: HttpRequest) -> desk.Agent:
    """Return who assists at the desk."""
    held = account(request)
    return desk.Agent(held, caller_of(request), str(getattr(held, "display_name", "")))
