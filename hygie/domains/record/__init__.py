"""The record: one person's health, read in thirty seconds, then in detail.

Reads Condition, MedicationRequest, MedicationStatement, AllergyIntolerance, Immunization,
Observation, DiagnosticReport, Procedure, Encounter and DocumentReference (FHIR R4; FR Core). The
summary keeps the order of the International Patient Summary. Writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform, Portal

PAGES = ("summary", "timeline", "documents")
URLCONF = "hygie.domains.record.pages"


def register(platform: Platform) -> None:
    """Offer the same pages to patients and professionals, each in its own words."""
    platform.add_django_app("hygie.domains.record")
    faces: dict[Portal, tuple[str, str, str]] = {
        "professional": (_("Synthèse"), _("Chronologie"), _("Documents")),
        "patient": (_("Mon résumé"), _("Mon histoire"), _("Mes documents")),
    }
    for portal, labels in faces.items():
        items = [
            NavigationItem(label, f"{portal}:record:{page}", order, about="patient")
            for label, page, order in zip(labels, PAGES, (10, 20, 30), strict=True)
        ]
        if portal == "patient":
            items.append(NavigationItem(_("Mon dossier"), "patient:record:mine", 10))
        platform.add_pages(portal, prefix="record/", urlconf=URLCONF, navigation=items)
