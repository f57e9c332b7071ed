"""Accounts, their one-time codes, their recoveries, and what happened to them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from hygie.domains.sign_in.model import PORTALS, Kind
from hygie.domains.sign_in.model.codes import CodeKind
from hygie.domains.sign_in.model.recovering import Stage
from hygie.domains.sign_in.model.telling import Channel


class Accounts(BaseUserManager["User"]):
    """Finds accounts by their login, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the account of a login."""
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """One account: a way in, for a person who may stand in a record or not.

    ``fhir_reference`` is such as ``Patient/5f0c…``; it is empty for who is nobody in a record.
    ``phone`` receives codes once a code sent to it came back, at ``phone_proved``; ``channel`` is
    how notices reach the person, in ``language``.
    """

    username = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    fhir_reference = models.CharField(max_length=120, blank=True)
    rights = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)
    phone = models.CharField(max_length=20, blank=True)
    phone_proved = models.DateTimeField(null=True, blank=True)
    channel = models.CharField(max_length=10, default=Channel.EMAIL.value)
    language = models.CharField(max_length=5, default="fr")

    objects: ClassVar[Accounts] = Accounts()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "kind"]

    class Meta:
        """A login and an e-mail address name one account, whatever their case."""

        app_label = "sign_in"
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("username"), name="one_account_per_login"),
            models.UniqueConstraint(
                Lower("email"), name="one_account_per_email", condition=~models.Q(email="")
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in Kind]),
                name="kind_of_account_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def has_strong_factor(self) -> bool:
        """Tell whether this account has a second factor that it can be asked for."""
        # The model of authenticators exists once Django has loaded every application.
        from allauth.mfa.models import Authenticator  # noqa: PLC0415

        enrolled = Authenticator.objects.filter(user_id=self.pk).exclude(type="recovery_codes")
        return bool(self.phone_proved) or enrolled.exists() or self.has_paper_codes()

    def has_paper_codes(self) -> bool:
        """Tell whether codes are left on a printed list."""
        left = Code.objects.filter(account=self, kind=CodeKind.PAPER.value, used=None)
        return left.filter(expires__gt=timezone.now()).exists()

    def portal(self) -> str:
        """Return the name of the portal this account enters, or an empty text."""
        return PORTALS[Kind(self.kind)]


class Code(models.Model):
    """A one-time code, of which only a keyed fingerprint is stored.

    ``birth`` is the fingerprint of the birth date that a sheet asks for beside its code; ``opens``
    is when it may be used first; ``made_by`` printed it for somebody else.
    """

    account = models.ForeignKey(User, models.CASCADE, related_name="codes")
    kind = models.CharField(max_length=20, choices=[(one.value, one.value) for one in CodeKind])
    number = models.PositiveSmallIntegerField(default=1)
    hash = models.BinaryField(unique=True)
    birth = models.BinaryField(default=b"")
    made = models.DateTimeField()
    opens = models.DateTimeField()
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Codes are found by account and kind, or by their fingerprint."""

        app_label = "sign_in"
        indexes: ClassVar = [models.Index(fields=["account", "kind"], name="codes_of_account")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Recovery(models.Model):
    """A recovery at the desk: who asked, who approved, and when the sheet opens."""

    account = models.ForeignKey(User, models.CASCADE, related_name="recoveries")
    stage = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Stage])
    paper = models.CharField(max_length=40)
    birth = models.BinaryField()
    asked = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    approved = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    opens = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)

    class Meta:
        """Two people, and one open recovery at a time; nobody recovers an account of their own."""

        app_label = "sign_in"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("asked_by")),
                name="recovery_takes_two_people",
            ),
            models.CheckConstraint(
                condition=~models.Q(asked_by=models.F("account"))
                & (models.Q(approved_by=None) | ~models.Q(approved_by=models.F("account"))),
                name="recovery_is_of_somebody_else",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(ended=None),
                name="one_open_recovery_per_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.stage}"


class Event(models.Model):
    """Something that happened to an account; written once, never changed (a trigger refuses)."""

    account = models.ForeignKey(User, models.DO_NOTHING, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=40)
    by = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+")
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        """Read newest first."""

        app_label = "sign_in"
        indexes: ClassVar = [models.Index(fields=["account", "-at"], name="events_of_account")]

    def __str__(self) -> str:
        return f"{self.what} {self.at:%Y-%m-%d}"


class Message(models.Model):
    """A notice on its way to a person; a letter waits at the desk until it is printed."""

    account = models.ForeignKey(User, models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Channel])
    text = models.TextField()
    made = models.DateTimeField(default=timezone.now)
    sent = models.DateTimeField(null=True)
    failed = models.CharField(max_length=80, blank=True)

    class Meta:
        """What waits is found by channel."""

        app_label = "sign_in"
        indexes: ClassVar = [
            models.Index(
                fields=["channel", "made"], name="messages_waiting", condition=models.Q(sent=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.made:%Y-%m-%d}"
