"""Requests of applications, what a person granted, and what was issued from it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from hygie.domains.authorization.orm.apps import App, Pairing


class Launch(models.Model):
    """An application opened from a record: for one user, one patient, once, within minutes."""

    digest = models.BinaryField(max_length=32, unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    patient = models.CharField(max_length=120)
    encounter = models.CharField(max_length=120, blank=True)
    expires = models.DateTimeField(db_index=True)
    used = models.DateTimeField(null=True)

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return f"launch {self.pk}"


class Asked(models.Model):
    """A request for authorization, from its first appearance to its answer.

    ``digest`` is of the ticket the browser carries; ``account`` is the first one that saw it;
    ``pushed`` until the browser brings it (RFC 9126). The parameters hold no secret.
    """

    digest = models.BinaryField(max_length=32, unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    parameters = models.JSONField()
    pushed = models.BooleanField(default=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    launch = models.ForeignKey(Launch, null=True, on_delete=models.CASCADE)
    patient = models.CharField(max_length=120, blank=True)
    signed_in_after = models.BooleanField(default=False)
    made = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(db_index=True)
    answered = models.DateTimeField(null=True)

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return f"request {self.pk}"


class Family(models.Model):
    """What one consent granted: all tokens that come from it end together.

    ``level``, ``amr`` and ``auth_time`` are what the session had proven then; ``exercise`` is the
    role and the structure a professional acted in. ``visit`` names the session for sign-outs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="families")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    pairing = models.ForeignKey(Pairing, null=True, on_delete=models.CASCADE)
    scope = ArrayField(models.CharField(max_length=300), default=list)
    patient = models.CharField(max_length=120, blank=True)
    encounter = models.CharField(max_length=120, blank=True)
    banner = models.BooleanField(default=True)
    level = models.SmallIntegerField(default=1)
    amr = ArrayField(models.CharField(max_length=40), default=list)
    auth_time = models.DateTimeField()
    exercise = models.JSONField(null=True)
    visit = models.UUIDField(null=True, db_index=True)
    made = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    ended = models.DateTimeField(null=True)

    class Meta:
        """Stated for Django."""

        app_label = "authorization"
        indexes: ClassVar = [models.Index(fields=["account", "app"], name="family_of_account")]

    def __str__(self) -> str:
        return str(self.pk)


class Code(models.Model):
    """An authorization code, by its digest; used once, then kept to notice a second use."""

    digest = models.BinaryField(max_length=32, unique=True)
    family = models.ForeignKey(Family, on_delete=models.CASCADE)
    redirect_uri = models.CharField(max_length=2000)
    code_challenge = models.CharField(max_length=128)
    nonce = models.CharField(max_length=500, blank=True)
    expires = models.DateTimeField(db_index=True)
    used = models.DateTimeField(null=True)
    code_challenge_method = "S256"

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return f"code {self.pk}"

    def get_redirect_uri(self) -> str:
        """Return the address the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was granted."""
        return " ".join(self.family.scope)


class Refresh(models.Model):
    """A refresh token, by its digest; each is used once and gives the next (RFC 9700, 4.14)."""

    digest = models.BinaryField(max_length=32, unique=True)
    family = models.ForeignKey(Family, on_delete=models.CASCADE)
    expires = models.DateTimeField(db_index=True)
    used = models.DateTimeField(null=True)

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return f"refresh {self.pk}"

    def check_client(self, client: App) -> bool:
        """Tell whether it was given to this application."""
        return bool(self.family.app_id == client.pk)

    def get_scope(self) -> str:
        """Return what was granted."""
        return " ".join(self.family.scope)


class Ciba(models.Model):
    """A request to a person on another device (CIBA Core 1.0, poll mode).

    ``account`` is None where the hint names nobody: it is answered like any other, and expires.
    """

    digest = models.BinaryField(max_length=32, unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    scope = ArrayField(models.CharField(max_length=300), default=list)
    message = models.CharField(max_length=64, blank=True)
    level = models.SmallIntegerField(default=0)
    family = models.ForeignKey(Family, null=True, on_delete=models.CASCADE)
    refused = models.BooleanField(default=False)
    polled = models.DateTimeField(null=True)
    made = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(db_index=True)
    used = models.DateTimeField(null=True)

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return f"request on another device {self.pk}"
