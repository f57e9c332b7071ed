"""Sign-ins by card that have begun, and challenges given to a terminal; digests only."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Attempt(models.Model):
    """A sign-in by card: begun by one browser, proven at the listener, used once.

    ``state`` and ``browser`` are SHA-256 digests of what the address carries and what the session
    keeps, ``ticket`` of what the listener hands over. ``proven`` is what it read from the card.
    """

    state = models.BinaryField(max_length=32, unique=True)
    browser = models.BinaryField(max_length=32)
    back = models.CharField(max_length=500, blank=True)
    expires = models.DateTimeField(db_index=True)
    ticket = models.BinaryField(max_length=32, unique=True, null=True)
    ticket_expires = models.DateTimeField(null=True)
    proven = models.JSONField(default=dict)

    class Meta:
        """The table is emptied as time passes."""

        app_label = "cards"

    def __str__(self) -> str:
        return f"attempt {self.pk}"


class Challenge(models.Model):
    """A challenge that a terminal gave: answered once, by a card, to the account that asked."""

    digest = models.BinaryField(max_length=32, unique=True)
    terminal = models.BinaryField(max_length=32)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    expires = models.DateTimeField(db_index=True)

    class Meta:
        """The table is emptied as time passes."""

        app_label = "cards"

    def __str__(self) -> str:
        return f"challenge {self.pk}"
