"""The factors of an account: how they are stored, added and removed."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.orm import Code, User
from hygie.domains.sign_in.service import codes, proving
from hygie.domains.sign_in.service.keys import seal, unseal
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from hygie.domains.sign_in.model.codes import CodeKind

SECOND_TYPES = frozenset({"totp", "webauthn"})


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's adapter with sealed secrets, and printed and sent codes as factors of their own."""

    def encrypt(self, text: str) -> str:
        """Seal a secret with a key that is not in the database."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a sealed secret."""
        return unseal(encrypted_text)

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        """Tell whether a second proof is to be asked; paper and SMS codes count as one."""
        if user.is_anonymous:
            return False
        if types is None or set(types) >= SECOND_TYPES:
            return bool(user.has_strong_factor())
        return bool(super().is_mfa_enabled(user, types))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return who a passkey is made for: the public name of this installation."""
        host = urlsplit(platform().settings.url).hostname if platform().settings.url else ""
        return {"id": host or context.request.get_host().partition(":")[0], "name": "Hygie"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - its name there
        """Return the first name of a new passkey."""
        held = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return str(_("Clé d’accès %d") % (held + 1))


@dataclass(frozen=True, slots=True)
class Key:
    """A passkey as the page of security lists it."""

    pk: int
    name: str
    added: datetime
    used: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """What an account can be asked for."""

    password: bool
    application: bool
    keys: tuple[Key, ...]
    recovery: int
    paper: int
    phone: str


def held_by(account: User) -> Held:
    """Return the factors of an account."""
    rows = list(Authenticator.objects.filter(user_id=account.pk).order_by("pk"))
    keys = [
        Key(one.pk, one.wrap().name, one.created_at, one.last_used_at)
        for one in rows
        if one.type == "webauthn"
    ]
    spare = [one for one in rows if one.type == "recovery_codes"]
    return Held(
        account.has_usable_password(),
        any(one.type == "totp" for one in rows),
        tuple(keys),
        len(spare[0].wrap().get_unused_codes()) if spare else 0,
        codes.left(account),
        account.phone if account.phone_proved else "",
    )


def add_application(request: HttpRequest, account: User, secret: str, *, step: int) -> None:
    """Enrol an authenticator application whose code of ``step`` was just given."""
    with transaction.atomic():
        data = {"secret": seal(secret), "last_step": step}
        Authenticator.objects.create(user_id=account.pk, type="totp", data=data)
        tell(account, Told.FACTOR_ADDED, detail="totp")
    proving.record(request, account, proving.Given("totp"))


def new_recovery_codes(account: User) -> list[str]:
    """Return new recovery codes; the older ones are void."""
    # The class of the library is not public; its stored form is, through Authenticator.wrap().
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes  # noqa: PLC0415

    with transaction.atomic():
        User.objects.select_for_update().get(pk=account.pk)
        Authenticator.objects.filter(user_id=account.pk, type="recovery_codes").delete()
        made = RecoveryCodes.activate(account)
        tell(account, Told.CODES_PRINTED)
    return [str(code) for code in made.generate_codes()]


def remove(account: User, kind: str, pk: int = 0) -> bool:
    """Remove a factor; recovery codes go with the last one they could replace."""
    with transaction.atomic():
        rows = Authenticator.objects.filter(user_id=account.pk, type=kind)
        removed, _each = (rows.filter(pk=pk) if pk else rows).delete()
        if not account.has_strong_factor():
            Authenticator.objects.filter(user_id=account.pk).delete()
        if removed:
            tell(account, Told.FACTOR_REMOVED, detail=kind)
    return bool(removed)


def forget_all(account: User, *kinds: CodeKind) -> None:
    """Remove every factor of an account that was recovered."""
    Authenticator.objects.filter(user_id=account.pk).delete()
    Code.objects.filter(account=account, used=None, kind__in=kinds).delete()
    account.phone, account.phone_proved = "", None


def address(account: User, secret: str) -> str:
    """Return the address that an authenticator application reads from a drawing."""
    return f"otpauth://totp/Hygie:{quote(account.username)}?secret={secret}&issuer=Hygie"


def drawing(text: str) -> str:
    """Return a QR code as SVG without style or script: one path on a white ground."""
    import qrcode  # noqa: PLC0415 - only the page of enrolment draws

    code: Any = qrcode.QRCode()
    code.add_data(text)
    code.make(fit=True)
    side = code.modules_count + 8
    path = "".join(
        f"M{column + 4} {row + 4}h1v1h-1z"
        for row, line in enumerate(code.modules)
        for column, dark in enumerate(line)
        if dark
    )
    out = io.StringIO()
    out.write(f'<svg viewBox="0 0 {side} {side}" width="240" height="240" role="img" ')
    out.write('aria-labelledby="qr-title"><title id="qr-title">QR code</title>')
    out.write(f'<rect width="{side}" height="{side}" fill="#fff"/>')
    out.write(f'<path d="{path}" fill="#000"/></svg>')
    return out.getvalue()
