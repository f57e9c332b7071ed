"""What is done when the sign-in library says that something happened."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed
from allauth.mfa.signals import authenticator_added

from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.service import proving, sessions
from hygie.domains.sign_in.service.telling import tell


def connect() -> None:
    """Listen; called once, when Django has loaded every application."""
    authentication_step_completed.connect(proving.keep, dispatch_uid="hygie.proofs")
    authenticator_added.connect(_added, dispatch_uid="hygie.added")
    password_changed.connect(_changed, dispatch_uid="hygie.password")


def _added(sender: object, request: Any, user: Any, authenticator: Any, **told: Any) -> None:
    """Tell of a new passkey, which its first use just proved."""
    del sender, told
    if authenticator.type == "webauthn":
        tell(user, Told.FACTOR_ADDED, detail="passkey")
        proving.record(request, user, proving.Given("passkey"))


def _changed(sender: object, request: Any, user: Any, **told: Any) -> None:
    """End every other session: whoever knew the former password is out."""
    del sender, told
    sessions.end_all(user, but=request.session.session_key or "")
    tell(user, Told.PASSWORD_CHANGED)
