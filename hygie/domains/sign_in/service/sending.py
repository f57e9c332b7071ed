"""The ports by which a short text leaves: SMS and e-mail; none is open unless the operator says so.

In the demonstration texts go to files of the data folder, which a page shows as a telephone.
"""

from __future__ import annotations

import json
import secrets
import smtplib
import time
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from hygie.domains.sign_in.model.telling import Channel
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from hygie.kernel.config import Settings

PATIENCE = 5.0
"""Seconds an outside gateway is waited for."""
FOLDER = "messages"


class Sender(Protocol):
    """Sends a text to a telephone number or an address."""

    def send(self, to: str, text: str) -> None:
        """Send.

        Raises:
            Unavailable: it could not be handed over.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Keeps each text as a file: for the demonstration and for tests."""

    folder: Path
    channel: Channel

    def send(self, to: str, text: str) -> None:
        """Write a file."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{time.time_ns()}-{secrets.token_hex(2)}.json"
        told = {"channel": self.channel.value, "to": to, "text": text, "at": time.time()}
        (self.folder / name).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Gateway:
    """A neutral HTTP gateway of SMS: POST of ``{"to", "text"}`` with a bearer token."""

    url: str
    token: str

    def send(self, to: str, text: str) -> None:
        """Hand over to the gateway; any answer below 300 is a success."""
        body = json.dumps({"to": to, "text": text}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        # The address is the operator's own setting, and https outside of the loopback.
        asked = urllib.request.Request(self.url, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE):  # noqa: S310
                return
        except OSError as error:
            raise Unavailable("The message could not be sent. Use another way.") from error


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server: ``smtp://user:password@host:port`` (STARTTLS) or ``smtps://``."""

    url: str
    sender: str

    def send(self, to: str, text: str) -> None:
        """Hand over to the mail server."""
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, to, "Hygie"
        letter.set_content(text)
        parts = urlsplit(self.url)
        kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
        try:
            with kind(parts.hostname or "", parts.port or 0, timeout=PATIENCE) as server:
                if parts.scheme != "smtps":
                    server.starttls()
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("The message could not be sent. Use another way.") from error


def sender_of(channel: Channel, settings: Settings) -> Sender | None:
    """Return how a channel is reached, None where the operator opened none."""
    if channel is Channel.SMS and settings.sms_url:
        return Gateway(settings.sms_url, settings.sms_token)
    if channel is Channel.EMAIL and settings.mail_url:
        return Mail(settings.mail_url, settings.mail_from)
    if settings.demo is not None and channel is not Channel.LETTER:
        return Folder(settings.data / FOLDER, channel)
    return None


def demonstration_messages(settings: Settings, *, most: int = 20) -> list[dict[str, object]]:
    """Return the last texts of the demonstration, newest first."""
    found = sorted((settings.data / FOLDER).glob("*.json"), reverse=True)[:most]
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]
