"""Links between outside identities and accounts, sign-ins that have begun, doubtful cases.

A link is found by realm, issuer and subject, and by nothing else: an e-mail address links nobody.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from hygie.domains.federation.model.cases import State


class Link(models.Model):
    """An outside identity that signs into one account.

    ``made`` says how it came: ``traits`` (an exact match), ``human`` (decided in the queue) or
    ``register`` (a professional's national number).
    """

    realm = models.CharField(max_length=20)
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    provider = models.CharField(max_length=40)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_identities"
    )
    made = models.CharField(max_length=20)
    since = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True)

    class Meta:
        """One outside identity is one account."""

        app_label = "federation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["realm", "issuer", "subject"], name="one_account_per_outside_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.pk}"


class Begun(models.Model):
    """A sign-in that has begun: used once, by the browser that began it, within minutes.

    ``state`` and ``browser`` are SHA-256 digests of what the browser brings back and keeps.
    """

    state = models.BinaryField(max_length=32, unique=True)
    browser = models.BinaryField(max_length=32)
    provider = models.CharField(max_length=40)
    sealed = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        """The table is emptied as time passes."""

        app_label = "federation"

    def __str__(self) -> str:
        return f"{self.provider} {self.pk}"


class Case(models.Model):
    """An outside identity that a human must recognise.

    ``sealed`` holds the traits, encrypted, until the decision; afterwards it is empty.
    """

    realm = models.CharField(max_length=20)
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    provider = models.CharField(max_length=40)
    acr = models.CharField(max_length=40)
    reason = models.CharField(max_length=20)
    sealed = models.TextField(blank=True)
    state = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in State],
        default=State.WAITING.value,
    )
    created = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(auto_now=True)
    decided = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    words = models.TextField(blank=True)
    person = models.CharField(max_length=120, blank=True)

    class Meta:
        """One identity waits once."""

        app_label = "federation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["realm", "issuer", "subject"],
                condition=models.Q(state__in=[State.WAITING.value, State.DESK.value]),
                name="one_open_case_per_outside_identity",
            )
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"
