"""Birth dates in the text of a search for people, as the French write them."""

from __future__ import annotations

import re
from datetime import date

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search.fold import fold

_MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin",
    "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
_DATE = re.compile(
    r"(?<!\d)(?:(?P<day>\d{1,2})(?P<gap>[/.-]| )(?P<month>\d{1,2})(?P=gap)(?P<year>\d{4})"
    r"|(?P<iso>\d{4}-\d\d-\d\d)"
    r"|(?P<first>\d{1,2})(?:er)? (?P<name>[^\W\d_]{3,9}) (?P<in>\d{4}))(?!\d)"
)


def find_birth_date(text: str) -> tuple[str, date | None]:
    """Return the text without the first date in it, and that date.

    >>> find_birth_date("Nora 12/05/1959"), find_birth_date("1er février 1959 Nora")
    (('Nora ', datetime.date(1959, 5, 12)), (' Nora', datetime.date(1959, 2, 1)))

    Raises:
        InvalidRequest: it is written like a date and is no day of the calendar.
    """
    for match in _DATE.finditer(text):
        found = _read(match)
        if found is not None:
            return text[: match.start()] + text[match.end() :], found
    return text, None


def _read(match: re.Match[str]) -> date | None:
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        if match["day"]:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        name = fold(match["name"])
        months = [number for number, month in enumerate(_MONTHS, 1) if month == name]
        return date(int(match["in"]), months[0], int(match["first"])) if months else None
    except ValueError:
        raise InvalidRequest("This birth date is not a day of the calendar.") from None
