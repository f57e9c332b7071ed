"""How long each thing lives: short, and set for each grant."""

from __future__ import annotations

from datetime import timedelta

CODE = timedelta(seconds=60)
REQUEST = timedelta(minutes=15)
"""From the first request of an application to the answer of the person."""
PUSHED = timedelta(seconds=90)
"""A pushed request until the browser brings it (RFC 9126, section 2.2)."""
LAUNCH = timedelta(minutes=2)
ACCESS = {
    "authorization_code": timedelta(minutes=10),
    "refresh_token": timedelta(minutes=10),
    "client_credentials": timedelta(minutes=5),
    "urn:openid:params:grant-type:ciba": timedelta(minutes=10),
}
ID_TOKEN = timedelta(minutes=5)
CIBA = timedelta(minutes=5)
CIBA_INTERVAL = timedelta(seconds=5)
ASSERTION = timedelta(minutes=5)
"""Furthest ``exp`` of a client assertion (SMART App Launch 2.2.0, "Asymmetric Authentication")."""
LEEWAY = timedelta(seconds=30)
SESSION = timedelta(hours=8)
IDLE = timedelta(days=30)
"""A refresh token that is not used for so long is refused."""
CHOICES = {
    "once": timedelta(hours=1),
    "day": timedelta(days=1),
    "month": timedelta(days=30),
    "half-year": timedelta(days=182),
    "year": timedelta(days=365),
}
"""For how long a person may open their data to an application."""
SIGNING = timedelta(days=60)
"""How long a key signs."""
PUBLISHED_BEFORE = timedelta(days=2)
PUBLISHED_AFTER = timedelta(days=1)
"""Longer than any ID token, and than the memory of a client for our keys."""
