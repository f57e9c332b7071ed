"""The establishment portal: its home; the domains bring its pages and its menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer the home of the portal."""
    platform.add_django_app("hygie.portals.establishment")
    platform.add_pages(
        "establishment",
        prefix="",
        urlconf="hygie.portals.establishment.pages",
        navigation=[NavigationItem(_("Accueil"), "establishment:home:home", 0)],
    )
