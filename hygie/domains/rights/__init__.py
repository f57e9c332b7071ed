"""The rights of a person over their data: access, portability, rectification, restriction, erasure.

Requests are FHIR Tasks, choices are Consents, a rectified version carries a Provenance (FHIR R4,
task.html, consent.html, provenance.html). Law: GDPR articles 12 to 22, 30, 33 and 35. The tables of
``definitions`` hold what a text can change: retention, purposes, outbound flows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hygie.domains.rights.jobs import (
    ERASE,
    EVERY,
    EXPORT,
    OFTEN,
    erase_what_was_asked,
    prepare_exports,
)
from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

PAGES = "hygie.domains.rights.pages"
API = "hygie.domains.rights.api"


def register(platform: Platform) -> None:
    """Offer the operation, the pages of each portal and the jobs that answer requests."""
    platform.add_operation(
        Path(__file__).parent / "definitions/patient-personal-copy.json",
        run=f"{API}:ask_for_copy",
        below=f"{API}:answer_below",
    )
    platform.add_django_app("hygie.domains.rights")
    platform.add_job(EXPORT, prepare_exports, every=EVERY)
    platform.add_job(ERASE, erase_what_was_asked, every=OFTEN)
    platform.add_pages(
        "patient",
        prefix="rights/",
        urlconf=f"{PAGES}.patient",
        navigation=[NavigationItem(_("Mes droits"), "patient:rights:mine", 80)],
    )
    platform.add_pages(
        "professional",
        prefix="rights/",
        urlconf=f"{PAGES}.professional",
        navigation=[NavigationItem(_("Rectifications"), "professional:rights:requests", 80)],
    )
    platform.add_pages(
        "establishment",
        prefix="rights/",
        urlconf=f"{PAGES}.establishment",
        navigation=[NavigationItem(_("Registre et droits"), "establishment:rights:register", 80)],
    )
    platform.add_pages("public", prefix="", urlconf=f"{PAGES}.public")
