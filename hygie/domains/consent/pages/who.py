"""Who can see a record, or one item of it, and why."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.model.visibility import Category, Viewer, Way
from hygie.domains.consent.pages.reading import in_record, is_own, language
from hygie.domains.consent.service.visibility import who_can_see
from hygie.kernel.errors import NotFound
from hygie.kernel.security.relations import Relation
from hygie.kernel.web.caller import account_of

WAYS: dict[Way, tuple[Promise, str]] = {
    Way.MEMBERSHIP: (_("Retirer de mon équipe de soins"), "team"),
    Way.TEAM: (_("Donner mon accord à l’équipe de soins"), "team"),
    Way.ACCESS: (_("Mettre fin à cet accès"), "accesses"),
    Way.DELEGATE: (_("Mettre fin à cette aide"), "delegates"),
    Way.UNBLOCK: (_("Débloquer"), "blocks"),
}
"""Where on the page of choices each way is changed, by the id of its part."""
TEXTS: dict[Way, Promise] = {
    Way.TREATING: _("Pour changer de médecin traitant, prévenez votre caisse d’assurance maladie."),
    Way.EMERGENCY: _("Cet accès finit seul, quatre heures au plus après avoir commencé."),
    Way.PRINCIPAL: _("Cet accès suit celui du professionnel pour qui il agit."),
    Way.MAJORITY: _("L’accès d’un parent finit aux 18 ans de l’enfant."),
}
ROLES: dict[Relation, Promise] = {
    Relation.PARENT: _("Parent"),
    Relation.GUARDIAN: _("Tuteur ou tutrice"),
    Relation.MANAGES: _("Représentant : lit et décide"),
    Relation.HELPER: _("Aidant : lit le dossier"),
    Relation.HELPER_ADMINISTRATIVE: _("Aidant pour les démarches"),
}
CATEGORIES: dict[Relation, Promise] = {
    Relation.EMERGENCY: _("Un médecin, en urgence"),
    Relation.CENTRE_15: _("Le SAMU, Centre 15"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One person as the page shows them."""

    viewer: Viewer
    role: str
    text: str
    link: tuple[str, str] | None


def mine(request: HttpRequest) -> HttpResponse:
    """Open the page about one's own record.

    Raises:
        NotFound: the account has no record of its own.
    """
    account = account_of(request)
    rt, _slash, rid = (account.fhir_reference if account else "").partition("/")
    if rt != "Patient":
        raise NotFound("This account has no record of its own.")
    return redirect("patient:consent:who", patient=rid)


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Show who can see the whole record."""
    return _render(request, patient, None)


def show_item(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Show who can see one item."""
    return _render(request, patient, (rt, rid))


def _render(request: HttpRequest, patient: str, item: tuple[str, str] | None) -> HttpResponse:
    told = language()
    whose, found = in_record(
        request, patient, lambda opened: who_can_see(opened, item=item, language=told)
    )
    context = {
        "person": whose,
        "patient": patient,
        "own": is_own(request, patient),
        "found": found,
        "item": item,
        "seeing": [_line(one, patient) for one in found.seeing],
        "excluded": [_line(one, patient) for one in found.excluded],
        "categories": [_category(one) for one in found.categories],
    }
    return render(request, "consent/who.html", context)


def _line(viewer: Viewer, patient: str) -> Line:
    role = viewer.role or next(
        (str(text) for kind, text in ROLES.items() if kind in viewer.relations), ""
    )
    way = viewer.way
    text = str(TEXTS[way]) if way in TEXTS else ""
    if way not in WAYS:
        return Line(viewer, role, text, None)
    label, part = WAYS[way]
    address = reverse("patient:consent:choices", kwargs={"patient": patient})
    return Line(viewer, role, text, (str(label), f"{address}#{part}"))


def _category(category: Category) -> tuple[str, Category]:
    return str(CATEGORIES[category.relation]), category
