"""Background work of the rights: prepare copies, carry out erasures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hygie.domains.rights.service.erasure import ERASE, carry_out_erasures
from hygie.domains.rights.service.exports import EXPORT, prepare
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform
    from hygie.kernel.store import Repository

EVERY = 3600.0
"""Seconds between two passes that nobody asked for: they end what is kept too long."""

OFTEN = 600.0
"""Seconds between two looks for erasures that were asked over FHIR, which wake nobody."""

__all__ = ["ERASE", "EVERY", "EXPORT", "OFTEN", "erase_what_was_asked", "prepare_exports"]


async def prepare_exports(platform: Platform) -> None:
    """Prepare the copies that people asked for, and destroy the old ones."""
    await prepare(_repository(platform), platform.settings.data, at=datetime.now(UTC))


async def erase_what_was_asked(platform: Platform) -> None:
    """Erase what people asked for and retention allows, and answer each of them."""
    repository = _repository(platform)
    await carry_out_erasures(
        repository, repository.bodies.keyring, platform.settings.data, at=datetime.now(UTC)
    )


def _repository(platform: Platform) -> Repository:
    if platform.repository is None:
        raise Unavailable("Hygie is starting. Try again in a moment.")
    return platform.repository
