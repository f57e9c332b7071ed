"""Oversight: who looked, and whether there was a reason.

A daily job reads the access log and what explains an access (CareTeam, Appointment, Encounter,
MedicationRequest, ServiceRequest, DiagnosticReport and others, FHIR R4), scores what stays
unexplained, and lists the most unusual for accounts with the right *review*. Declared emergencies
(Task) and accesses that patients report come to the same queue. Writes no resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.oversight.jobs import EVERY, review_days
from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

PAGES = "hygie.domains.oversight.pages"


def register(platform: Platform) -> None:
    """Offer the queue, the question to a professional and the patient's report; run the job."""
    platform.add_django_app("hygie.domains.oversight")
    platform.add_job("oversight.review_days", review_days, every=EVERY)
    platform.add_pages(
        "establishment",
        prefix="reviews/",
        urlconf=f"{PAGES}.establishment",
        navigation=[NavigationItem(_("Accès à relire"), "establishment:oversight:queue", 10)],
    )
    platform.add_pages("patient", prefix="oversight/", urlconf=f"{PAGES}.patient")
    platform.add_pages(
        "professional",
        prefix="oversight/",
        urlconf=f"{PAGES}.professional",
        navigation=[
            NavigationItem(_("Questions sur mes accès"), "professional:oversight:questions", 90)
        ],
    )
