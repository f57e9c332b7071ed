"""From the number of a card to an account, after the directory had its say."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.service.attempts import Proven
from hygie.kernel.store import Repository
from hygie.kernel.web.bridge import ask
from hygie.kernel.web.professionals import (
    NATIONAL_ID,
    RPPS,
    account_of_professional,
    practitioner_with,
    professions_of,
    vouch,
)


def account_of(repository: Repository, proven: Proven) -> Any:
    """Return the account of the holder of a card.

    The directory is asked at each sign-in: somebody who practises nothing any more is refused, and
    so is a card that states another profession than the directory.

    Raises:
        CardRefused: nobody of the directory has this number, or may enter with it.
    """
    stated = [(NATIONAL_ID, proven.number), (RPPS, proven.rpps)]
    stored = ask(practitioner_with(repository, [one for one in stated if one[1]]))
    if stored is None:
        raise CardRefused(Why.UNKNOWN_PROFESSIONAL)
    practised = ask(professions_of(repository, stored.reference))
    if not practised:
        raise CardRefused(Why.STRUCK_OFF)
    if proven.profession and proven.profession not in practised:
        raise CardRefused(Why.OTHER_PROFESSION)
    account = account_of_professional(stored.reference)
    if account is None:
        raise CardRefused(Why.UNKNOWN_PROFESSIONAL)
    if not account.is_active:
        raise CardRefused(Why.CLOSED)
    ask(vouch(repository, stored, "cps", on=timezone.localdate()))
    return account
