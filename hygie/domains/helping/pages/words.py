"""Qualities and scopes in plain words."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from hygie.domains.helping.model.invitations import Scope

SCOPES: dict[str, Promise] = {
    Scope.WHOLE.value: _("Lire tout le dossier"),
    Scope.ADMINISTRATIVE.value: _("Lire les papiers administratifs seulement"),
    Scope.MANDATE.value: _("Lire le dossier et décider à sa place"),
}
QUALITIES: dict[str, Promise] = {
    "helper": _("aidant : lit tout le dossier"),
    "helper-administrative": _("aidant pour les démarches : lit les papiers administratifs"),
    "mandate": _("représentant choisi : lit et décide"),
    "parent": _("parent : lit et décide"),
    "guardian": _("tuteur : lit et décide"),
    "desk": _("agent du guichet : lit les papiers administratifs"),
}
LEAVABLE = frozenset({"helper", "helper-administrative", "mandate"})
"""Helps that who helps may end here; parents and guardians end theirs at the desk."""


def last_day(ends: datetime | None) -> date | None:
    """Return the last day that is still good, None where nothing ends."""
    return None if ends is None else localtime(ends - timedelta(seconds=1)).date()
