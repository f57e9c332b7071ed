"""The public pages: start, help, what Hygie is and is not, accessibility."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer the public pages at the root."""
    platform.add_django_app("hygie.portals.start")
    platform.add_pages("public", prefix="", urlconf="hygie.portals.start.pages")
