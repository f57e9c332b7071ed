"""Simulators of a carte Vitale reader and of a telephone with the apCV, below ``/simulators/``.

They take the challenge of a terminal and give the answer of a synthetic card: as a QR code, as the
text that a scanner would type, as the bytes that NFC would carry. Every page says that it is a
simulator, and that nothing here is approved SESAM-Vitale software.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import msgspec
import qrcode
from qrcode.image.svg import SvgPathImage

from hygie.testing.card_authority import VITALE_POLICY, CardAuthority, open_authority
from hygie.testing.simulators.people import Citizen, read_people
from hygie.testing.simulators.vitale_card import VitaleCard, as_text, contents, personalise
from hygie.testing.simulators.web import (
    Asked,
    Receive,
    Reply,
    Scope,
    Send,
    answer,
    hidden,
    page,
    read,
    wrong,
)

ADULT_FOR_APCV = 16
CHALLENGE = re.compile(r"[A-Z2-7]{16}")
TERMINAL = re.compile(r"[0-9A-F]{16}")
TITLES = {
    "fr": {"card": "un lecteur de cartes Vitale", "apcv": "l’appli carte Vitale"},
    "en": {"card": "a reader of cartes Vitale", "apcv": "the carte Vitale app"},
}
WORDS = {
    "fr": {
        "card": "Choisir la carte à insérer",
        "apcv": "Choisir la personne qui tient le téléphone",
        "insert": "Lire cette carte",
        "show": "Présenter",
        "answer": "Réponse de la carte",
        "scan": "Scannez ce QR code avec la douchette, ou copiez le texte.",
        "text": "Texte du QR code",
        "bytes": "Octets pour le lecteur sans contact (NFC)",
        "lasts": "Valable une minute, une seule fois, pour le poste qui l’a demandée.",
        "none": "Aucune carte n’est encore là.",
        "lost": "La demande du poste manque : ouvrez cette page depuis Hygie.",
        "legal": "Ce simulateur n’est pas agréé SESAM-Vitale et ne lit aucune carte réelle.",
    },
    "en": {
        "card": "Choose the card to insert",
        "apcv": "Choose who holds the telephone",
        "insert": "Read this card",
        "show": "Present",
        "answer": "Answer of the card",
        "scan": "Scan this QR code with the scanner, or copy the text.",
        "text": "Text of the QR code",
        "bytes": "Bytes for the contactless reader (NFC)",
        "lasts": "Valid for one minute, once, for the terminal that asked for it.",
        "none": "No card is here yet.",
        "lost": "The terminal’s request is missing: open this page from Hygie.",
        "legal": "This simulator is not SESAM-Vitale approved and reads no real card.",
    },
}


@dataclass(frozen=True, slots=True)
class VitaleSimulator:
    """One of both simulators. ``kind`` is ``card`` (a reader) or ``apcv`` (a telephone)."""

    name: str
    kind: str
    root: str
    folder: Path
    authority: CardAuthority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = await read(scope, receive, root=self.root)
        if asked.method not in ("GET", "POST") or asked.path != "/":
            await answer(send, wrong("not_found", status=404))
            return
        await answer(send, self._page(asked))

    def cards(self) -> dict[str, VitaleCard]:
        """Return the cards that may be shown, by their number."""
        today = datetime.now(UTC).date()
        known = read_people(self.folder / "people.json").citizens
        groups: list[list[Citizen]] = [list(known)]
        if self.kind == "apcv":
            groups = [[one] for one in known if _age(one) >= ADULT_FOR_APCV]
        made = [
            {**one, "card": f"{one['card']}{place:02d}"}
            for place, group in enumerate(groups)
            for one in contents(group, today)
        ]
        return {str(one["card"]): personalise(self.authority, one) for one in made}

    def _page(self, asked: Asked) -> Reply:
        words = WORDS[asked.language]
        challenge, terminal = (asked.values.get(name, "") for name in ("challenge", "terminal"))
        if not CHALLENGE.fullmatch(challenge) or not TERMINAL.fullmatch(terminal):
            return self._told(asked, words["lost"], status=400)
        cards = self.cards()
        chosen = cards.get(asked.form.get("card", ""))
        if asked.method == "POST" and chosen is not None:
            return self._answered(asked, chosen.answer(challenge, terminal, kind=self.kind))
        if not cards:
            return self._told(asked, words["none"])
        kept = hidden({"challenge": challenge, "terminal": terminal})
        action = "insert" if self.kind == "card" else "show"
        forms = "".join(
            f'<li><form method="post" action="./">{kept}'
            f'<input type="hidden" name="card" value="{escape(one.number)}">'
            f"<p>{escape(_names(one))}</p><button>{escape(words[action])}"
            f' <span class="number">{escape(one.number[-4:])}</span></button></form></li>'
            for one in cards.values()
        )
        body = f"<ul>{forms}</ul><p>{escape(words['legal'])}</p>"
        return page(
            TITLES[asked.language][self.kind], asked.language, title=words[self.kind], body=body
        )

    def _answered(self, asked: Asked, content: bytes) -> Reply:
        words, text = WORDS[asked.language], as_text(content)
        link = "data:application/octet-stream;base64," + base64.b64encode(content).decode()
        body = (
            f"<p>{escape(words['scan'])}</p><div>{_qr(text)}</div>"
            f'<p><label for="text">{escape(words["text"])}</label></p>'
            f'<textarea id="text" rows="8" cols="40" readonly>{text}</textarea>'
            f'<p><a download="apcv.bin" href="{link}">{escape(words["bytes"])}</a></p>'
            f"<p>{escape(words['lasts'])}</p><p>{escape(words['legal'])}</p>"
        )
        return page(
            TITLES[asked.language][self.kind], asked.language, title=words["answer"], body=body
        )

    def _told(self, asked: Asked, sentence: str, *, status: int = 200) -> Reply:
        body = f"<p>{escape(sentence)}</p>"
        title = WORDS[asked.language][self.kind]
        return page(
            TITLES[asked.language][self.kind], asked.language, title=title, body=body, status=status
        )


def vitale_simulators(folder: Path, prefix: str) -> dict[str, VitaleSimulator]:
    """Return both simulators by name; ``folder`` holds their authority and lists its people."""
    authority = open_authority(folder / "vitale", "VITALE SIMULEE")
    named = (
        ("vitale-reader", "card"),
        ("apcv-presentation", "apcv"),
    )
    return {
        name: VitaleSimulator(name, kind, f"{prefix}{name}", folder, authority)
        for name, kind in named
    }


def described_vitale(folder: Path, *, simulator: str) -> str:
    """Return the TOML text that makes an installation read these cards (``HYGIE_CARDS``)."""
    place = folder / "vitale"
    lines = {
        "authorities": str(place / "authorities.pem"),
        "revocation": [str(place / "crl")],
        "policies": [VITALE_POLICY],
        "simulator": simulator,
    }
    written = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in lines.items()]
    return "\n".join(['realm = "demonstration"', "", "[vitale]", *written, ""])


def _names(one: VitaleCard) -> str:
    people = msgspec.json.decode(one.content)["beneficiaries"]
    return ", ".join(f"{each['given']} {each['family']}" for each in people)


def _age(one: Citizen) -> int:
    return (datetime.now(UTC).date() - datetime.fromisoformat(one.birth_date).date()).days // 365


def _qr(text: str) -> str:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, box_size=5, border=4)
    code.add_data(text)
    code.make(fit=True)
    out = io.BytesIO()
    code.make_image(image_factory=SvgPathImage).save(out)
    drawn = out.getvalue().decode()
    start = drawn.index("<svg")
    inside = drawn.index(">", start) + 1
    # Scanners want dark on light, also where the page is dark.
    return f'{drawn[start:inside]}<rect width="100%" height="100%" fill="#fff"/>{drawn[inside:]}'
