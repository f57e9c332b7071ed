"""Sign-in: accounts, factors, sessions, recovery.

An account is not a person: ``fhir_reference`` names the Patient or Practitioner it stands for.
Accounts are made by the operator, by a practice for its patient, by an outside identity or by the
demonstration; nobody registers from outside. Standards: RFC 6238 (TOTP), WebAuthn level 2, NIST
SP 800-63B, PGSSI-S identification électronique.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.sign_in import jobs
from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

DJANGO_SETTINGS = {
    "AUTH_USER_MODEL": "sign_in.User",
    "AUTHENTICATION_BACKENDS": ["hygie.domains.sign_in.service.door.OneHash"],
    "PASSWORD_HASHERS": ["hygie.kernel.web.passwords.CappedArgon2"],
    "AUTH_PASSWORD_VALIDATORS": [
        {
            "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "OPTIONS": {"min_length": 12},
        },
        {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
        {"NAME": "hygie.domains.sign_in.policy.NotBreached"},
        {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    ],
    "LOGIN_URL": "account_login",
    "LOGIN_REDIRECT_URL": "home",
    "ACCOUNT_ADAPTER": "hygie.domains.sign_in.service.door.ClosedDoor",
    "ACCOUNT_FORMS": {"login": "hygie.domains.sign_in.pages.forms.SignInForm"},
    "ACCOUNT_LOGIN_METHODS": {"email", "username"},
    "ACCOUNT_SIGNUP_FIELDS": ["email", "username*", "password1*"],
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_PREVENT_ENUMERATION": True,
    "ACCOUNT_SESSION_REMEMBER": False,
    "ACCOUNT_LOGOUT_REDIRECT_URL": "start",
    # The door counts tries itself (service/door.py, definitions/limits.csv).
    "ACCOUNT_RATE_LIMITS": {
        "login": None,
        "login_failed": None,
        "change_password": "5/m/user",
        "reauthenticate": "10/m/user",
    },
    "MFA_ADAPTER": "hygie.domains.sign_in.service.factors.SealedFactors",
    "MFA_FORMS": {"authenticate": "hygie.domains.sign_in.pages.forms.CodeForm"},
    "MFA_SUPPORTED_TYPES": ["recovery_codes", "totp", "webauthn"],
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    "MFA_WEBAUTHN_USER_VERIFICATION": "required",
    "MFA_TRUST_ENABLED": False,
    "MFA_TOTP_TOLERANCE": 1,
    "MFA_RECOVERY_CODES_SHOW_ONCE": True,
    "MFA_ALLOW_UNVERIFIED_EMAIL": True,
    "MFA_RATE_LIMITS": {"webauthn_login": "60/m/ip"},
}


def register(platform: Platform) -> None:
    """Offer the door, one's own security, the desk, and sheets at the practice."""
    platform.add_django_app("hygie.domains.sign_in.apps.SignInConfig", settings=DJANGO_SETTINGS)
    platform.add_middleware("hygie.domains.sign_in.pages.guarding.sessions_guard")
    jobs.register(platform)
    pages = "hygie.domains.sign_in.pages"
    platform.add_pages("public", prefix="", urlconf=f"{pages}.public")
    platform.add_pages(
        "establishment",
        prefix="accounts/",
        urlconf=f"{pages}.desk",
        navigation=[NavigationItem(_("Comptes"), "establishment:accounts:home", 30)],
    )
    tab = NavigationItem(_("Accès du patient"), "professional:accounts:sheet", 90, about="patient")
    platform.add_pages(
        "professional", prefix="accounts/", urlconf=f"{pages}.practice", navigation=[tab]
    )
