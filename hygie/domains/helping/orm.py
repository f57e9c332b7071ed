"""Invitations that wait, mandates of a desk, measures that a second person must confirm.

What opens a record is the FHIR Consent alone; these rows say how it came to be written.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from hygie.domains.helping.model.desk import Stage as DeskStage
from hygie.domains.helping.model.invitations import Scope, State
from hygie.domains.helping.model.measures import Stage

_LOGICAL_ID = 64


class Invitation(models.Model):
    """An invitation: the decision of who made it, until one named person answers.

    ``code`` and ``said`` are keyed digests: nobody reads from here how to accept in another's
    place. ``level`` is how strongly the inviter was authenticated.
    """

    patient = models.CharField(max_length=_LOGICAL_ID, db_index=True)
    person = models.CharField(max_length=200)
    inviter = models.CharField(max_length=120)
    level = models.SmallIntegerField()
    name = models.CharField(max_length=200)
    scope = models.CharField(max_length=30, choices=[(one.value, one.value) for one in Scope])
    until = models.DateTimeField()
    code = models.BinaryField(max_length=32, unique=True)
    said = models.BinaryField(max_length=32)
    tries = models.SmallIntegerField(default=0)
    state = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in State], default=State.SENT.value
    )
    consent = models.CharField(max_length=_LOGICAL_ID)
    created = models.DateTimeField()
    expires = models.DateTimeField()
    answered = models.DateTimeField(null=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reference = models.CharField(max_length=120, blank=True)

    objects: ClassVar[models.Manager[Invitation]] = models.Manager()

    class Meta:
        """Kept as the proof of how a mandate came."""

        app_label = "helping"

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class Standing(models.Model):
    """Who an account is beside one person: the RelatedPerson of who has no record of their own."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="standings"
    )
    patient = models.CharField(max_length=_LOGICAL_ID)
    reference = models.CharField(max_length=120)

    objects: ClassVar[models.Manager[Standing]] = models.Manager()

    class Meta:
        """Once per person."""

        app_label = "helping"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "patient"], name="one_standing_per_person")
        ]

    def __str__(self) -> str:
        return f"standing {self.pk}"


class DeskMandate(models.Model):
    """A mandate signed on paper at a desk, for one act and some minutes."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="desk_mandates"
    )
    patient = models.CharField(max_length=_LOGICAL_ID)
    person = models.CharField(max_length=200)
    birth = models.CharField(max_length=10)
    act = models.CharField(max_length=300)
    place = models.CharField(max_length=200)
    minutes = models.SmallIntegerField()
    state = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in DeskStage],
        default=DeskStage.PRINTED.value,
    )
    created = models.DateTimeField()
    starts = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)
    document = models.CharField(max_length=_LOGICAL_ID, blank=True)
    consent = models.CharField(max_length=_LOGICAL_ID, blank=True)

    objects: ClassVar[models.Manager[DeskMandate]] = models.Manager()

    class Meta:
        """Kept with the paper."""

        app_label = "helping"

    def __str__(self) -> str:
        return f"desk mandate {self.pk}"


class Protection(models.Model):
    """By what document somebody acts for a child or a protected adult; two people saw it."""

    patient = models.CharField(max_length=_LOGICAL_ID)
    person = models.CharField(max_length=200)
    representative = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    measure = models.CharField(max_length=40)
    court = models.CharField(max_length=200, blank=True)
    judgment = models.CharField(max_length=100, blank=True)
    judged = models.DateField(null=True)
    ends = models.DateField(null=True)
    seen = models.CharField(max_length=300)
    state = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in Stage],
        default=Stage.ENTERED.value,
    )
    created = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    entered_by_id: int
    answered = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    consent = models.CharField(max_length=_LOGICAL_ID, blank=True)

    objects: ClassVar[models.Manager[Protection]] = models.Manager()

    class Meta:
        """Never decided by one person alone."""

        app_label = "helping"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(answered_by__isnull=True)
                | ~models.Q(answered_by=models.F("entered_by")),
                name="measure_is_seen_by_two_people",
            )
        ]

    def __str__(self) -> str:
        return f"measure {self.pk}"
