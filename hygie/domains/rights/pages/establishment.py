"""Register, retention clock, texts and impact assessment of each structure."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.rights.pages.reading import caller, language, now
from hygie.domains.rights.service import controllers, papers
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, platform, repository

LABELS: dict[str, Promise] = {
    "contact": _("Responsable de traitement : nom et coordonnées"),
    "dpo": _("Délégué à la protection des données : nom et coordonnées"),
    "notice": _("Note d’information : ce que la structure ajoute"),
    "necessity": _("Analyse d’impact : proportionnalité et nécessité"),
    "risks": _("Analyse d’impact : risques et vraisemblance"),
    "opinion": _("Analyse d’impact : avis du délégué et validation"),
}
PAPERS = {"register": papers.register_paper, "assessment": papers.assessment_paper}


def register(request: HttpRequest) -> HttpResponse:
    """List the structures with their retention clocks."""
    me = caller(request)
    found = ask(controllers.controllers(repository(), me))
    clocks = ask(controllers.retention_clock(repository(), me, at=now()))
    by_controller = {one.controller: one for one in clocks}
    rows = [(one, by_controller.get(one.reference)) for one in found]
    unnamed = by_controller.get(controllers.PLATFORM)
    context = {"rows": rows, "unnamed": unnamed}
    return render(request, "rights/register.html", context)


def structure(request: HttpRequest, rid: str) -> HttpResponse:
    """Show the register of one structure and let it write its own texts."""
    me, reference = caller(request), f"Organization/{rid}"
    if request.method == "POST":
        for part in controllers.PARTS:
            body = request.POST.get(part)
            if body is not None:
                ask(controllers.write_text(repository(), me, reference, part=part, body=body))
        return redirect("establishment:rights:structure", rid=rid)
    found = ask(
        controllers.register(
            repository(), me, reference, settings=platform().settings, at=now().date()
        )
    )
    say = language()
    context = {
        "rid": rid,
        "name": found.controller.name,
        "activities": [
            {
                "purpose": one.purpose[say],
                "basis": one.basis[say],
                "categories": one.categories[say],
                "recipients": one.recipients[say],
                "years": period.years,
                "text": period.basis_fr if say == "fr" else period.basis_en,
            }
            for one, period in found.activities
        ],
        "measures": [
            (one.title[say == "en"], one.state[say == "en"], one.active) for one in found.measures
        ],
        "texts": [(part, LABELS[part], found.texts.get(part, "")) for part in controllers.PARTS],
    }
    return render(request, "rights/structure.html", context)


def paper(request: HttpRequest, rid: str, name: str) -> HttpResponse:
    """Send the register or the draft impact assessment as Markdown.

    Raises:
        NotFound: there is no such paper.
    """
    if name not in PAPERS:
        raise NotFound("There is no such paper.")
    at = now().date()
    found = ask(
        controllers.register(
            repository(),
            caller(request),
            f"Organization/{rid}",
            settings=platform().settings,
            at=at,
        )
    )
    text = PAPERS[name](found, language=language(), at=at)
    response = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{at.isoformat()}.md"'
    return response


app_name = "rights"
urlpatterns = [
    path("", register, name="register"),
    path("<str:rid>/", structure, name="structure"),
    path("<str:rid>/<str:name>.md", paper, name="paper"),
]
