"""The first visit: two questions, beside the list of who would see."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.model.choices import Choices, FirstVisit
from hygie.domains.consent.model.constants import Opening, opening_mode, opposition_window
from hygie.domains.consent.model.visibility import Viewer
from hygie.domains.consent.pages.choices import back, read
from hygie.domains.consent.pages.reading import Opened, in_record, is_own, language, now
from hygie.domains.consent.service import decisions
from hygie.domains.consent.service.choices import read_record
from hygie.domains.consent.service.visibility import who_can_see
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.clauses import Language
from hygie.kernel.security.relations import Relation
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.stepping_up import confirm_identity

YES_OR_NO = [("yes", _("Oui")), ("no", _("Non"))]
_MISSING = {"required": _("Choisissez oui ou non.")}
_WOULD = frozenset({Relation.CARE_TEAM, Relation.TREATING})


class Questions(forms.Form):
    """The two questions; nothing is chosen beforehand."""

    care_team = forms.ChoiceField(choices=YES_OR_NO, error_messages=_MISSING)
    emergencies = forms.ChoiceField(choices=YES_OR_NO, error_messages=_MISSING)


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Ask the two questions, keep the answers and the notice.

    They change what the page of choices changes, so the same function asks the password again.
    """
    if asked := confirm_identity(request):
        return asked
    form = Questions(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = FirstVisit(
            care_team=form.cleaned_data["care_team"] == "yes",
            emergencies=form.cleaned_data["emergencies"] == "yes",
        )
        ask(_answer(caller_of(request), patient, answer))
        return back(patient, "first")
    told = language()
    whose, (choices, would) = in_record(request, patient, lambda opened: _read(opened, told))
    mode = choices.opening.mode if choices.opening else opening_mode(choices.at.date())
    context = {
        "person": whose,
        "patient": patient,
        "own": is_own(request, patient),
        "form": form,
        "choices": choices,
        "would": would,
        "on_consent": mode is Opening.ON_CONSENT,
        "weeks": opposition_window(choices.at.date()).days // 7,
    }
    return render(request, "consent/first.html", context, status=422 if form.errors else 200)


async def _read(opened: Opened, told: Language) -> tuple[Choices, list[Viewer]]:
    choices = await read(opened)
    found = await who_can_see(opened, language=told)
    return choices, [one for one in found.viewers if one.relations & _WOULD]


async def _answer(caller: Caller, patient: str, answer: FirstVisit) -> None:
    records, at = repository(), now()
    known = await read_record(records, caller, patient, at=at)
    if known.choices.opening is None:
        await decisions.record_notice(records, caller, patient, at=at)
    await decisions.first_visit_choice(records, caller, patient, answer=answer, at=at)
