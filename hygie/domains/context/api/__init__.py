"""The hub as machines see it: ``/fhircast`` over HTTP and WebSocket (FHIRcast 3.0.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.context.api.face import HubFace
from hygie.domains.context.service.hub import Hub
from hygie.kernel.errors import ConfigurationError

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


async def open_hub(platform: Platform) -> HubFace:
    """Return the hub of one worker.

    Raises:
        ConfigurationError: the store is not open yet.
    """
    if platform.repository is None:
        raise ConfigurationError("The hub opens after the store.")
    settings = platform.settings
    hub = Hub(platform.repository, settings.fhir_base)
    return HubFace(hub, settings.base_url, settings.trusted_proxies)
