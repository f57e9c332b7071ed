"""Identity: find a person among one's own patients.

A professional searches by name, birth date or INS, accents and misspellings forgiven, among the
patients of their care teams only. Finding a stranger needs the right *identify* and another door.
Shows Patient (FR Core Patient, INS identity reference frame).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer the list and the search of one's patients to professionals."""
    platform.add_django_app("hygie.domains.identity")
    platform.add_pages(
        "professional",
        prefix="patients/",
        urlconf="hygie.domains.identity.pages",
        navigation=[NavigationItem(_("Mes patients"), "professional:identity:patients", 10)],
    )
