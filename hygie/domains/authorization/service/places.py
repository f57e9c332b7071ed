"""Where this provider is, and who somebody is in its tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from hygie.kernel.web.bridge import platform


def issuer() -> str:
    """Return the issuer, which is the public address of the installation."""
    return platform().settings.base_url


def fhir_base() -> str:
    """Return the FHIR base URL, the one audience of access tokens."""
    return platform().settings.fhir_base


def realm() -> str:
    """Return whose identities are met here."""
    return platform().settings.identities


def subject_of(account: Any) -> str:
    """Return the ``sub`` of an account: its person in the record, or the account itself."""
    return str(account.fhir_reference or f"account/{account.pk}")


def now() -> datetime:
    """Return the present instant."""
    return timezone.now()
