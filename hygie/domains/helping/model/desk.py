"""A mandate of a desk: an agent assists somebody who is present, for one act and some minutes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from hygie.domains.helping.model.limits import amount
from hygie.kernel.errors import Conflict, InvalidRequest


class Stage(StrEnum):
    """Where a mandate of a desk stands."""

    PRINTED = "printed"
    """The form is printed; nothing is open before the person signed it."""
    SIGNED = "signed"
    ENDED = "ended"
    DROPPED = "dropped"
    """The person did not sign."""


STAGES: dict[Stage, frozenset[Stage]] = {
    Stage.PRINTED: frozenset({Stage.SIGNED, Stage.DROPPED}),
    Stage.SIGNED: frozenset({Stage.ENDED}),
    Stage.ENDED: frozenset(),
    Stage.DROPPED: frozenset(),
}
"""What may follow what."""


def check_minutes(minutes: int, *, at: date) -> None:
    """Check how long a mandate of a desk is asked for.

    Raises:
        InvalidRequest: less than a minute, or longer than one act may last.
    """
    longest = amount("desk-longest", "minutes", at=at)
    if not 1 <= minutes <= longest:
        raise InvalidRequest(f"Choose 1 to {longest} minutes.")


def check_stage(before: Stage, after: Stage) -> None:
    """Check that a mandate may pass to another stage.

    Raises:
        Conflict: it was signed, dropped or ended already.
    """
    if after not in STAGES[before]:
        raise Conflict("This mandate was signed, dropped or ended already.")
