"""Nobody registers from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.adapter import DefaultAccountAdapter

if TYPE_CHECKING:
    from django.http import HttpRequest


class ClosedDoor(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's adapter with registration closed and no flash messages."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: accounts are made by the operator."""
        del request
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: the page that follows shows what happened."""
