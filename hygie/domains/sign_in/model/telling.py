"""What an account's person is told of, by which channel, in which words: nothing about health."""

from __future__ import annotations

import enum


class Channel(enum.StrEnum):
    """How a notice reaches a person."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"


class Told(enum.StrEnum):
    """What happened to an account; the words of ``Event.what``."""

    SIGNED_IN_NEW_DEVICE = "new-device"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an event
    SHEET_PRINTED = "sheet-printed"
    ACTIVATED = "activated"
    CODES_PRINTED = "codes-printed"
    PHONE_CHANGED = "phone-changed"
    CHANNEL_CHANGED = "channel-changed"
    RECOVERY_ASKED = "recovery-asked"
    RECOVERY_APPROVED = "recovery-approved"
    RECOVERY_REFUSED = "recovery-refused"
    RECOVERY_STOPPED = "recovery-stopped"
    RECOVERED = "recovered"
    SESSIONS_ENDED = "sessions-ended"


EVERYWHERE = frozenset({Told.RECOVERY_ASKED, Told.RECOVERY_APPROVED, Told.RECOVERED})
"""Told by every channel that is known, not by the chosen one alone."""
SILENT = frozenset({Told.SESSIONS_ENDED, Told.RECOVERY_REFUSED, Told.RECOVERY_STOPPED})
"""Kept in the history of the account, without a notice."""
