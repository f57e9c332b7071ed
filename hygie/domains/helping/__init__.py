"""Helpers and mandates: invite, accept, act for somebody, parents and guardians, desks.

What opens a record is a FHIR Consent (R4, consent.html) whose actor is a Patient or a
RelatedPerson; the rules of the shared record read it. Sources: code civil (articles 371-1, 414,
425 to 494-12), code de la santé publique (L.1111-2, L.1111-5, L.1111-7), the DMP's rules on
mandates and minors, the charter of France Services on mandates at a desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.helping import jobs
from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

PAGES = "hygie.domains.helping.pages"


def register(platform: Platform) -> None:
    """Offer the pages, the banner of who acts for somebody, and the notices."""
    platform.add_django_app(
        "hygie.domains.helping.apps.HelpingConfig",
        settings={"ACTING_PAGE": "patient:helping:act"},
    )
    platform.add_job(jobs.NAME, jobs.tell, every=jobs.EVERY)
    platform.add_pages(
        "patient",
        prefix="helping/",
        urlconf=f"{PAGES}.patient",
        navigation=[NavigationItem(_("Aide entre proches"), "patient:helping:mine", 70)],
    )
    platform.add_pages(
        "establishment",
        prefix="desk/",
        urlconf=f"{PAGES}.establishment",
        navigation=[
            NavigationItem(_("Aider au guichet"), "establishment:helping:desk", 30),
            NavigationItem(_("Parents et tuteurs"), "establishment:helping:measures", 40),
        ],
    )
    platform.add_announcer("patient", "acting", f"{PAGES}.announcing:banner")
    platform.add_announcer("patient", "home", f"{PAGES}.announcing:news")
