"""Tags and filters that every template may use."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from hygie.kernel.web import doors, frame

register = template.Library()
MONTHS_UNTIL_YEARS = 24
WHOLE_DAY = len("2024-01-31")


@register.simple_tag(takes_context=True)
def record_tabs(context: RequestContext, patient: str) -> list[frame.MenuEntry]:
    """Return the tabs of the record of ``patient`` in the portal of this page."""
    return frame.tabs(context.request, context["portal"], patient)


@register.inclusion_tag("components/doors.html", takes_context=True)
def sign_in_doors(context: RequestContext) -> dict[str, Any]:
    """Print the ways in besides the password; a note that neighbours share is said once."""
    return {"doors": doors.doors(context.request)}


@register.filter
def ins(number: str) -> str:
    r"""Print an INS in the groups people read: 2 55 08 14 168 025 38.

    >>> ins("255081416802538")
    '2\u202f55\u202f08\u202f14\u202f168\u202f025\u202f38'
    """
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    pairs = pairwise(cuts)
    return "\u202f".join(number[a:b] for a, b in pairs if number[a:b])


@register.filter
def head(reference: str) -> str:
    """Return the type of a literal reference.

    >>> head("Patient/12")
    'Patient'
    """
    return reference.partition("/")[0]


@register.filter
def tail(reference: str) -> str:
    """Return the id of a literal reference.

    >>> tail("Patient/12")
    '12'
    """
    return reference.partition("/")[2]


@register.filter
def fhir_date(text: str) -> str:
    """Print a FHIR date with the precision it has: 2019, May 2019 or 3 May 2019."""
    parts = [int(part) for part in text.split("-")] if text else []
    if len(parts) <= 1:
        return text
    style = "j F Y" if len(parts) == len(("year", "month", "day")) else "F Y"
    return date_format(date(*(*parts, 1)[:3]), style)


@register.filter
def since(text: str) -> str:
    """Print since when: “depuis 2019”, “depuis le 3 mai 2019”."""
    words = gettext("depuis le %(day)s") if len(text) == WHOLE_DAY else gettext("depuis %(day)s")
    return words % {"day": fhir_date(text)}


@register.filter
def number(text: str) -> str:
    """Print the decimals of a text as the language writes them; no digit is changed or lost."""
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text) if get_language() == "fr" else text


@register.filter
def age(birth: str) -> str:
    """Print an age today: in months before two years, in years after; nothing when unknown."""
    if not birth:
        return ""
    year, month, day = (*(int(part) for part in birth.split("-")), 1, 1)[:3]
    today = timezone.localdate()
    months = (today.year - year) * 12 + today.month - month - (today.day < day)
    if months < MONTHS_UNTIL_YEARS:
        return ngettext("%(count)d mois", "%(count)d mois", months) % {"count": months}
    return ngettext("%(count)d an", "%(count)d ans", months // 12) % {"count": months // 12}


@register.filter
def sex(code: str) -> str:
    """Print an administrative sex (FHIR AdministrativeGender)."""
    words = {
        "female": gettext("Femme"),
        "male": gettext("Homme"),
        "other": gettext("Autre"),
        "unknown": gettext("Non renseigné"),
    }
    return words.get(code, gettext("Non renseigné"))


@register.inclusion_tag("components/field.html")
def field(bound: Any, *, hint: bool = True) -> dict[str, Any]:
    """Print a form field with its label, hint, error and a described-by that joins them.

    A placeholder is left out: it vanishes when one types, and repeats the label.
    """
    help_text = bound.help_text if hint else ""
    described = [f"{bound.id_for_label}-hint"] if help_text else []
    described += [f"{bound.id_for_label}-error"] if bound.errors else []
    bound.field.widget.attrs.pop("placeholder", None)
    attrs = {"class": "govuk-input" + (" govuk-input--error" if bound.errors else "")}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {"bound": bound, "help_text": help_text, "widget": bound.as_widget(attrs=attrs)}
