"""Sign-in: accounts, passwords, sessions.

An account is not a person: ``fhir_reference`` names the Patient or Practitioner it stands for.
Accounts are made by the operator, or by the demonstration; nobody can register from outside.
Second factors and FranceConnect come with their own issue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

DJANGO_SETTINGS = {
    "AUTH_USER_MODEL": "sign_in.User",
    "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
    "PASSWORD_HASHERS": ["hygie.kernel.web.passwords.CappedArgon2"],
    "AUTH_PASSWORD_VALIDATORS": [
        {
            "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "OPTIONS": {"min_length": 12},
        },
        {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    ],
    "LOGIN_URL": "account_login",
    "LOGIN_REDIRECT_URL": "home",
    "ACCOUNT_ADAPTER": "hygie.domains.sign_in.policy.ClosedDoor",
    "ACCOUNT_FORMS": {"login": "hygie.domains.sign_in.pages.SignInForm"},
    "ACCOUNT_LOGIN_METHODS": {"email", "username"},
    "ACCOUNT_SIGNUP_FIELDS": ["email", "username*", "password1*"],
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_PREVENT_ENUMERATION": True,
    "ACCOUNT_SESSION_REMEMBER": False,
    "ACCOUNT_LOGOUT_REDIRECT_URL": "start",
    # A hospital shares one address: the limit per account does the guarding, per address it is
    # wide. Both are counted in the cache that all processes share.
    "ACCOUNT_RATE_LIMITS": {
        "login": "60/m/ip",
        "login_failed": "30/m/ip,5/5m/key",
        "change_password": "5/m/user",
        "reauthenticate": "10/m/user",
    },
}


def register(platform: Platform) -> None:
    """Offer the sign-in pages and the account model."""
    platform.add_django_app("hygie.domains.sign_in.apps.SignInConfig", settings=DJANGO_SETTINGS)
    platform.add_pages("public", prefix="", urlconf="hygie.domains.sign_in.pages")
