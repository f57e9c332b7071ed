"""What the pages of the annuaire share: the question of the address, the lists, the instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from hygie.domains.annuaire.model.nomenclature import professions
from hygie.domains.annuaire.service.asking import Asked

UNKNOWN: dict[str, Promise] = {
    "specialty": _(
        "Aucune spécialité ne porte ce nom. Essayez un mot plus court, comme « cardio »."
    ),
    "place": _("Aucune commune ne porte ce nom ou ce code postal. Vérifiez l’orthographe."),
}
_FIELDS = {"text": "q", "profession": "profession", "specialty": "specialty", "place": "place"}


def asked_in(request: HttpRequest) -> Asked:
    """Return what the address of a page asks for."""
    said = {name: " ".join(request.GET.get(key, "").split()) for name, key in _FIELDS.items()}
    return Asked(**said, after=request.GET.get("after", ""))


def address_of(asked: Asked, *, after: str) -> str:
    """Return the query string of the page that follows."""
    pairs = [(key, getattr(asked, name)) for name, key in _FIELDS.items() if getattr(asked, name)]
    return urlencode([*pairs, ("after", after)])


def shared(asked: Asked, answer: Any, *, fault: str = "") -> dict[str, object]:
    """Return what every page of results shows besides the results."""
    words = answer.words if answer else None
    return {
        "asked": asked,
        "answer": answer,
        "fault": fault,
        "professions": professions(language()).items(),
        "unknown": {name: UNKNOWN[name] for name in (words.unknown if words else ())},
        "words": words,
        "next": address_of(asked, after=answer.after) if answer and answer.after else "",
        "first": address_of(replace(asked, after=""), after="") if asked.after else "",
    }


def language() -> str:
    """Return the language of the page; ask in the page's own thread, not in its reads."""
    return "fr" if get_language() == "fr" else "en"


def now() -> datetime:
    """Return the instant at which a page decides, with its zone."""
    return timezone.now()


def today() -> date:
    """Return the day of the page."""
    return timezone.localdate()
