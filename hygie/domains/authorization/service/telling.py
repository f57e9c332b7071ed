"""Who holds an access token."""

from __future__ import annotations

from typing import Any

from hygie.domains.authorization.orm import Family
from hygie.domains.authorization.service.grants import standing_account
from hygie.kernel.web.tokens import facts_of


def holder_of(token: str) -> tuple[Any, tuple[str, ...]] | None:
    """Return the account and the scope of an access token; None for an ID token or any other.

    Every question looks the token up: one that was revoked names nobody.
    """
    facts = facts_of(token)
    if facts is None or facts.family is None:
        return None
    family = Family.objects.filter(pk=facts.family, ended=None).select_related("account").first()
    account = standing_account(family) if family is not None else None
    return (account, facts.scope) if account is not None else None
