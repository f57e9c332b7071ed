"""Who reviews: accounts with the right *review*, and never one's own access."""

from __future__ import annotations

from hygie.domains.oversight.model.queue import Item
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Caller, Kind, Right


def check_can_review(caller: Caller) -> None:
    """Raise unless the account may review accesses.

    Raises:
        Forbidden: it has not the right *review*.
    """
    if Right.REVIEW not in caller.rights:
        raise Forbidden("Reviewing accesses needs the right review.")


def check_can_decide(caller: Caller, item: Item) -> None:
    """Raise unless the account may decide on this access.

    Raises:
        Forbidden: nobody judges their own access, nor an item that a colleague has taken.
    """
    check_can_review(caller)
    if caller.party and caller.party in (item.party, item.pat):
        raise Forbidden("Nobody reviews an access of their own, or to their own record.")
    if item.reviewer not in (None, caller.reference):
        raise Forbidden("A colleague has taken this review.")


def check_can_report(caller: Caller) -> None:
    """Raise unless the account stands for a patient.

    Raises:
        Forbidden: professionals and administrators report in another way.
    """
    if caller.kind != Kind.PATIENT:
        raise Forbidden("A person reports an access to their own record, or to one they represent.")
