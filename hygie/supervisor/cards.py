"""The process that listens to the cards of professionals: ``python -m hygie.supervisor.cards``.

It runs beside the pages, on a port of its own, when ``HYGIE_CARDS`` describes a listener.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any

from hygie.kernel.config import Settings, settings_from_environment
from hygie.supervisor import journal

DOMAIN = "hygie.domains.cards"
"""Loaded by name, and only where the setting asks: without the folder everything else works."""


def command(settings: Settings) -> list[str]:
    """Return the command of the listener, empty where none is configured.

    Raises:
        ConfigurationError: ``HYGIE_CARDS`` cannot be used.
    """
    if settings.cards is None or settings.only == "api":
        return []
    trust: Any = import_module(f"{DOMAIN}.service.trust")
    professional = trust.check_installation(settings).professional
    if professional is None or not professional.listen:
        return []
    return [sys.executable, "-m", "hygie.supervisor.cards"]


def listen(settings: Settings) -> None:
    """Listen until the process is told to end."""
    listener: Any = import_module(f"{DOMAIN}.api.listener")
    asyncio.run(listener.listen(settings))


if __name__ == "__main__":
    chosen = settings_from_environment()
    journal.set_up(chosen.log)
    listen(chosen)
