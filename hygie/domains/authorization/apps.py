"""The Django application of authorization; its models stand in ``orm``."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig, apps


class AuthorizationConfig(AppConfig):
    """Declare the models of applications, consents and keys to Django."""

    name = "hygie.domains.authorization"
    label = "authorization"
    default_auto_field = "django.db.models.BigAutoField"

    def import_models(self) -> None:
        """Load the models from ``orm``, where Django would look into ``models.py``."""
        registry = self.apps or apps
        self.models = registry.all_models[self.label]
        self.models_module = import_module("hygie.domains.authorization.orm")

    def ready(self) -> None:
        """Tell applications, when somebody signs out, that their session is over."""
        import_module("hygie.domains.authorization.service.leaving").listen()
