"""Keys that sign, assertions that were used, sessions that ended."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from hygie.domains.authorization.orm.apps import App


class SigningKey(models.Model):
    """A key of the provider; the private part is sealed with the keys of the installation.

    It is published from ``made``, signs between ``starts`` and ``ends``, and is forgotten after
    ``retires``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    algorithm = models.CharField(max_length=10)
    public = models.JSONField()
    sealed = models.BinaryField()
    made = models.DateTimeField(auto_now_add=True)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    retires = models.DateTimeField()

    class Meta:
        """Two processes never make the same next key."""

        app_label = "authorization"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["algorithm", "starts"], name="one_key_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} {self.pk}"


class Used(models.Model):
    """An assertion that was used, until it would expire anyway."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        """An assertion is used once."""

        app_label = "authorization"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["app", "digest"], name="an_assertion_is_used_once")
        ]

    def __str__(self) -> str:
        return f"assertion {self.pk}"


class Visit(models.Model):
    """A session of a person, as ID tokens name it (``sid``); it says nothing of the cookie."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    made = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    ended = models.DateTimeField(null=True)

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return str(self.pk)


class Notice(models.Model):
    """A sign-out that an application is still to be told of (Back-Channel Logout 1.0)."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    visit = models.UUIDField()
    subject = models.CharField(max_length=200)
    tries = models.SmallIntegerField(default=0)
    next = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One notice for each application and session."""

        app_label = "authorization"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["app", "visit"], name="one_notice_for_each")
        ]

    def __str__(self) -> str:
        return f"sign-out {self.visit}"
