"""The annuaire: professionals, their roles and structures as FHIR, and who is listed publicly.

Practitioner, PractitionerRole, Organization and Location in the shape of FR Core and of the
Annuaire Santé (AS) profiles; import of the open extractions (Annuaire Santé, FINESS); search for
patients and professionals and, among those who chose it alone, for everybody. A public listing is a
HealthcareService (ADR 0031).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

PAGES = "hygie.domains.annuaire.pages"


def register(platform: Platform) -> None:
    """Offer the annuaire to patients, to professionals and, what is listed, to everybody."""
    platform.add_django_app("hygie.domains.annuaire")
    platform.add_pages("public", prefix="annuaire/", urlconf=f"{PAGES}.public")
    platform.add_pages(
        "patient",
        prefix="annuaire/",
        urlconf=f"{PAGES}.patient",
        navigation=[NavigationItem(_("Annuaire"), "patient:annuaire:find", 70)],
    )
    platform.add_pages(
        "professional",
        prefix="annuaire/",
        urlconf=f"{PAGES}.professional",
        navigation=[NavigationItem(_("Annuaire"), "professional:annuaire:find", 70)],
    )
