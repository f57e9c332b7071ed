"""The Django application of accounts; its models stand in ``orm.py``."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig, apps


class SignInConfig(AppConfig):
    """Declare the account model to Django."""

    name = "hygie.domains.sign_in"
    label = "sign_in"
    default_auto_field = "django.db.models.BigAutoField"

    def import_models(self) -> None:
        """Load the models from ``orm.py``, where Django would look into ``models.py``."""
        registry = self.apps or apps
        self.models = registry.all_models[self.label]
        self.models_module = import_module("hygie.domains.sign_in.orm")

    def ready(self) -> None:
        """Keep what the sign-in library proves, once its signals exist."""
        import_module("hygie.domains.sign_in.service.listening").connect()
