"""Nobody registers from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.utils.translation import gettext_lazy as _

from hygie.kernel.web.doors import departure

if TYPE_CHECKING:
    from django.http import HttpRequest


class ClosedDoor(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's adapter with registration closed, plain sentences and no flash messages."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("L’identifiant ou le mot de passe n’est pas le bon."),
        "email_password_mismatch": _("L’identifiant ou le mot de passe n’est pas le bon."),
        "too_many_login_attempts": _("Trop d’essais ratés. Attendez cinq minutes."),
        "enter_current_password": _("Le mot de passe actuel n’est pas le bon."),
        "incorrect_password": _("Le mot de passe n’est pas le bon."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: accounts are made by the operator."""
        del request
        return False

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Return where somebody goes who signs out: an outside session may be to be ended too."""
        return departure(request) or str(super().get_logout_redirect_url(request))

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: the page that follows shows what happened."""
