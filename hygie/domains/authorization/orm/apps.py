"""Registered applications, and which person opened their data to which one."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import Audience, Proof, State, origins_of


def new_client_id() -> str:
    """Return an id that nobody guesses before the application is approved."""
    return uuid.uuid4().hex


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a secret of high entropy: what is kept of it."""
    return hashlib.sha256(secret.encode()).digest()


class App(models.Model):
    """One application; the methods are those that Authlib asks of a client.

    ``acts_as`` is the account of a service that runs without a person: it may what that account
    may. ``realm`` is the installation's when it was registered: no other one knows it.
    """

    client_id = models.CharField(max_length=64, unique=True, default=new_client_id)
    realm = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    publisher = models.CharField(max_length=120)
    contact = models.EmailField()
    purpose_fr = models.TextField(max_length=600)
    purpose_en = models.TextField(max_length=600)
    reasons = models.TextField(max_length=2000, blank=True)
    privacy_url = models.URLField(max_length=500)
    audience = models.CharField(max_length=20)
    redirect_uris = ArrayField(models.CharField(max_length=2000), default=list, blank=True)
    launch_uri = models.CharField(max_length=2000, blank=True)
    post_logout_uris = ArrayField(models.CharField(max_length=2000), default=list, blank=True)
    logout_uri = models.CharField(max_length=2000, blank=True)
    proof = models.CharField(max_length=30)
    secret = models.BinaryField(max_length=32, null=True)
    jwks = models.JSONField(null=True)
    jwks_uri = models.CharField(max_length=2000, blank=True)
    grants = ArrayField(models.CharField(max_length=60), default=list)
    asked = ArrayField(models.CharField(max_length=300), default=list)
    approved = ArrayField(models.CharField(max_length=300), default=list)
    signature = models.CharField(max_length=10, default="ES256")
    introspects = models.BooleanField(default=False)
    sandbox = models.BooleanField(default=False)
    acts_as = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, default=State.WAITING)
    reason = models.TextField(blank=True)
    registered = models.DateTimeField(auto_now_add=True)
    decided = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        """Stated for Django."""

        app_label = "authorization"

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"

    @property
    def origins(self) -> list[str]:
        """Return from where its pages call in a browser: only a public client has such pages."""
        return origins_of(self.redirect_uris) if self.proof == Proof.NONE else []

    def get_client_id(self) -> str:
        """Return its id."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """Return nothing: a request always names its redirect address."""
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        """Return what is asked and approved both."""
        contexts = words.FOR_SERVICES if self.audience == Audience.SERVICE else words.FOR_PEOPLE
        return " ".join(words.allowed((scope or "").split(), self.approved, *contexts))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether an address was registered, letter by letter."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Tell in constant time whether this is its secret."""
        kept = bytes(self.secret or b"")
        return hmac.compare_digest(kept, digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tell whether it proves itself in this way, at every endpoint alike."""
        del endpoint
        return bool(method == self.proof)

    def check_response_type(self, response_type: str) -> bool:
        """Tell whether it may ask for this: a code, and nothing else."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether it was approved for a grant."""
        return grant_type in self.grants


class Pairing(models.Model):
    """A person opened their data to an application: what, until when; it ends at once."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="pairings")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pairings"
    )
    scope = ArrayField(models.CharField(max_length=300), default=list)
    patient = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    ended = models.DateTimeField(null=True)

    class Meta:
        """One standing pairing for each application, account and patient."""

        app_label = "authorization"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["app", "account", "patient"],
                condition=models.Q(ended=None),
                name="one_standing_pairing",
            )
        ]

    def __str__(self) -> str:
        return f"pairing {self.pk}"
