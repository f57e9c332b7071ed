"""Single sign-on with context: a patient opened in one tool, and the others follow.

A FHIRcast 3.0.0 hub (WebSocket), the context given with SMART tokens (``hub.url``, ``hub.topic``),
and the pages of professionals, which publish what they open and say what another tool opened.
Reads Patient, Encounter, DiagnosticReport and ImagingStudy as each follower; stores no resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

DOMAIN = "hygie.domains.context"
FORGETTING = "context.forget_what_ended"
EVERY = 60.0
"""Seconds between two looks at what ended."""


def register(platform: Platform) -> None:
    """Offer the hub, what it adds to tokens, and what the pages of professionals say of it."""
    from hygie.domains.context import jobs  # noqa: PLC0415  they are imported to run
    from hygie.domains.context.api import open_hub  # noqa: PLC0415  the hub is without Django

    platform.add_django_app(f"{DOMAIN}.apps.ContextConfig")
    platform.add_face("fhircast", open_hub)
    platform.add_launch_context(f"{DOMAIN}.service.sessions:launch_context")
    platform.add_middleware(f"{DOMAIN}.pages.publishing.publishing")
    platform.add_pages("professional", prefix="context/", urlconf=f"{DOMAIN}.pages")
    platform.add_announcer("professional", "page", f"{DOMAIN}.pages.following:announce")
    platform.add_job(FORGETTING, jobs.forget, every=EVERY)
