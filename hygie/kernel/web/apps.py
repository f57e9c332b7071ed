"""The Django application of base templates, components, static files and their translations."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Declare the base templates to Django."""

    name = "hygie.kernel.web"
    label = "hygie_web"
