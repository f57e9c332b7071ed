"""Break-glass and Centre 15: what must be said before a record opens in an emergency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hygie.domains.consent.model.constants import emergency_length
from hygie.kernel.errors import Unprocessable

SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a professional says to open a record in an emergency.

    Attributes:
        reason: why the patient cannot agree and care cannot wait, 10 to 500 characters.
        place: where it happens, such as a service or an address.
        hours: how long it is wanted; None for the longest the rules allow.
    """

    reason: str
    place: str
    hours: float | None = None

    def period(self, at: datetime) -> tuple[datetime, datetime]:
        """Return when it starts and ends.

        Raises:
            Unprocessable: the length is not between zero and the longest allowed.
        """
        longest = emergency_length(at.date())
        length = longest if self.hours is None else timedelta(hours=self.hours)
        if not timedelta() < length <= longest:
            raise Unprocessable(
                f"An emergency access lasts {longest // timedelta(hours=1)} hours at most."
            )
        return at, at + length


def check_reason(reason: str) -> None:
    """Check that a reason says something.

    Raises:
        Unprocessable: it is too short or too long.
    """
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise Unprocessable(
            "Say why care cannot wait and the patient cannot agree, in "
            f"{SHORTEST_REASON} to {LONGEST_REASON} characters.",
            expression="Task.reasonCode",
        )


def check_declaration(declaration: Declaration) -> None:
    """Check a declaration before it is written.

    Raises:
        Unprocessable: the reason or the place is missing.
    """
    check_reason(declaration.reason)
    if not declaration.place.strip():
        raise Unprocessable("Say where it happens.", expression="Task.location")
