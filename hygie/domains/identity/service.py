"""Find a person among a professional's own patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.model import Person

LONGEST = 100


class People(Protocol):
    """What this domain asks of the repository."""

    async def find_mine(self, access: Caller, text: str) -> Sequence[Person]:
        """Return the caller's own patients that look like ``text``, the closest first."""
        ...


async def find_mine(people: People, caller: Caller, text: str) -> Sequence[Person]:
    """Return the caller's own patients for a name, a birth date or an INS; all for no text.

    Raises:
        InvalidRequest: the text is longer than any name.
    """
    wanted = " ".join(text.split())
    if len(wanted) > LONGEST:
        raise InvalidRequest("The search is too long.")
    return await people.find_mine(caller, wanted)
