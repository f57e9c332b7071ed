"""The Django application of helpers and mandates; its models stand in ``orm.py``."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig, apps


class HelpingConfig(AppConfig):
    """Declare the models of invitations, desk mandates and measures to Django."""

    name = "hygie.domains.helping"
    label = "helping"
    default_auto_field = "django.db.models.BigAutoField"

    def import_models(self) -> None:
        """Load the models from ``orm.py``, where Django would look into ``models.py``."""
        registry = self.apps or apps
        self.models = registry.all_models[self.label]
        self.models_module = import_module("hygie.domains.helping.orm")
