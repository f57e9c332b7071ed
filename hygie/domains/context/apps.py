"""The Django application of the context: it hears sign-outs; it has no models."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ContextConfig(AppConfig):
    """Declare templates and translations to Django, and listen to sign-outs."""

    name = "hygie.domains.context"
    label = "context"

    def ready(self) -> None:
        """Hear of every sign-out."""
        import_module("hygie.domains.context.service.sessions").listen()
