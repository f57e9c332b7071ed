"""Find a person among a professional's own patients."""

from __future__ import annotations

from collections.abc import Sequence

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Person, Repository

LONGEST = 100


async def find_mine(repository: Repository, caller: Caller, text: str) -> Sequence[Person]:
    """Return the caller's own patients for a name, a birth date or an INS; all for no text.

    Raises:
        InvalidRequest: the text is longer than any name.
    """
    wanted = " ".join(text.split())
    if len(wanted) > LONGEST:
        raise InvalidRequest("The search is too long.")
    return await repository.find_mine(caller, wanted)
