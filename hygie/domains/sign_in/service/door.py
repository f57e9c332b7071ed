"""The sign-in door: nobody registers from outside, guesses are counted, nothing is told of who is.

A stranger's failures never close an account to its person: a device that signed in before has a
count of its own, a correct second proof opens beside the password, and passkeys and outside
identities are not counted here at all.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth.hashers import check_password
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.orm import User
from hygie.domains.sign_in.service import devices, proving
from hygie.domains.sign_in.service.limiting import address_of, take, take_by_address
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.web.authentication import FRESH, proofs_of_account
from hygie.kernel.web.doors import departure
from hygie.kernel.web.passwords import CappedArgon2

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SECOND = frozenset({"totp", "recovery-code", "sms-code", "paper-code", "passkey"})
"""Methods that show possession."""
SALT, HASH = 16, 32


def find(*names: str | None) -> User | None:
    """Return the account of a login or an e-mail address, whatever their case."""
    wanted = Q()
    for name in filter(None, names):
        wanted |= Q(username__iexact=name) | Q(email__iexact=name)
    return User.objects.filter(wanted).order_by("pk").first() if wanted else None


class OneHash(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Check a password at the cost of one hash, also for who is absent, closed or without one."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Return the account whose password this is."""
        del request
        password = credentials.get("password")
        if not password:
            return None
        account = find(credentials.get("username"), credentials.get("email"))
        if account is not None and account.is_active and account.has_usable_password():
            return account if account.check_password(password) else None
        check_password(password, _nobody())
        return None


class FactorStage(AuthenticateStage):  # type: ignore[misc]  # allauth has no types
    """Ask the second proof, unless this very sign-in brought it beside the password."""

    def _should_handle(self, request: HttpRequest) -> bool:
        account = self.login.user
        brought = {one.method for one in proofs_of_account(request, account.pk, within=FRESH)}
        return bool(super()._should_handle(request)) and not brought & SECOND


class ClosedDoor(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's adapter with registration closed, plain sentences and no flash messages."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("L’identifiant ou le mot de passe n’est pas le bon."),
        "email_password_mismatch": _("L’identifiant ou le mot de passe n’est pas le bon."),
        "too_many_login_attempts": _("Trop d’essais ratés. Attendez cinq minutes."),
        "slowed": _(
            "Trop d’essais ratés pour ce compte. Ajoutez un code de votre application, de votre "
            "liste ou de secours, ou attendez dix minutes."
        ),
        "enter_current_password": _("Le mot de passe actuel n’est pas le bon."),
        "incorrect_password": _("Le mot de passe n’est pas le bon."),
        "incorrect_code": _("Le code n’est pas le bon, ou il a déjà servi."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: accounts are made by the operator, a practice or an outside identity."""
        del request
        return False

    def is_reauthentication_required(self, *, app: str, **_ignored: Any) -> bool:
        """Leave it to ``confirm_identity``, which every page of factors calls."""
        del app
        return False

    def get_login_stages(self) -> list[str]:
        """Return what follows the password: the second proof."""
        return ["hygie.domains.sign_in.service.door.FactorStage"]

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Return where somebody goes who signs out: an outside session may be to be ended too."""
        return departure(request) or str(super().get_logout_redirect_url(request))

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: the page that follows shows what happened."""

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """Say nothing: ``service/telling.py`` does, by the channel the person chose."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before the password is hashed.

        Raises:
            ValidationError: too many were made; the same sentence whether the account exists.
        """
        self._taken: list[Any] = []
        names = (credentials.get("username"), credentials.get("email"))
        account = find(*names)
        subject = str(account.pk) if account else next(filter(None, names), "").casefold()
        if not take_by_address(request, "sign-in"):
            raise self.validation_error("too_many_login_attempts")
        if known := devices.known(request, account):
            self._count(request, "device", f"{known}:{subject}")
            return
        self._count(request, "address-account", f"{address_of(request)}:{subject}")
        usage = take(request, "failure", "account", key=subject)
        if usage is not None:
            self._taken.append(usage)
        elif not self._brings_a_code(request, account):
            raise self.validation_error("slowed")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the account of a login and a password; a success takes its own count back."""
        self.pre_authenticate(request, **credentials)
        account = OneHash().authenticate(request, **credentials)
        if account is not None:
            for usage in self._taken:
                usage.rollback()
        return account

    def post_login(self, request: HttpRequest, user: User, **told: Any) -> HttpResponse:
        """Remember the device, and tell of one that was never seen."""
        if not devices.known(request, user):
            tell(user, Told.SIGNED_IN_NEW_DEVICE)
        devices.remember(request, user)
        return super().post_login(request, user, **told)  # type: ignore[no-any-return]

    def _count(self, request: HttpRequest, per: str, key: str) -> None:
        usage = take(request, "failure", per, key=key)
        if usage is None:
            raise self.validation_error("too_many_login_attempts")
        self._taken.append(usage)

    @staticmethod
    def _brings_a_code(request: HttpRequest, account: User | None) -> bool:
        typed = request.POST.get("code", "")
        if not typed or account is None or not account.is_active:
            return False
        given = proving.check(request, account, typed)
        if given is not None:
            proving.record(request, account, given)
        return given is not None


def _nobody() -> str:
    """Return a stored form that no password gives, at the cost of the real ones."""
    hasher = CappedArgon2()
    parts = (f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}",)
    random = [
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (SALT, HASH)
    ]
    return "$".join(["argon2", "argon2id", "v=19", *parts, *random])
