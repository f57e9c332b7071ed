"""The account model, custom from the first migration because it cannot be changed afterwards."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from hygie.domains.sign_in.model import PORTALS, Kind


class Accounts(BaseUserManager["User"]):
    """Finds accounts by their login, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the account of a login."""
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """One account: a way in, for a person who may stand in a record or not.

    ``fhir_reference`` is such as ``Patient/5f0c…``; it is empty for who is nobody in a record.
    """

    username = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    fhir_reference = models.CharField(max_length=120, blank=True)
    rights = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

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

    def portal(self) -> str:
        """Return the name of the portal this account enters, or an empty text."""
        return PORTALS[Kind(self.kind)]
