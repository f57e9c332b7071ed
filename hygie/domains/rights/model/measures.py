"""What an installation really does, told for a register, an impact assessment and a breach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from hygie.domains.rights.model.register import Flow, flows
from hygie.kernel.config import Settings

Language = Literal["fr", "en"]
Text = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Measure:
    """One security measure: what it is, and whether this installation has it; ``fr`` and ``en``."""

    title: Text
    state: Text
    active: bool


def measures(settings: Settings) -> list[Measure]:
    """Return the security measures (GDPR, article 32), as the settings make them today."""
    https = settings.base_url.startswith("https://")
    local = not settings.database_url
    return [
        Measure(
            ("Contrôle d’accès", "Access control"),
            (
                "Chaque lecture porte la décision des règles ; la base vérifie une seconde fois.",
                "Each reading carries the decision of the rules, then the database checks again.",
            ),
            active=True,
        ),
        Measure(
            ("Traçabilité", "Traces"),
            (
                "Chaque accès est tracé avant la réponse ; réécrire le journal se verrait.",
                "Each access is traced before the answer; rewriting the log would be seen.",
            ),
            active=True,
        ),
        Measure(
            ("Chiffrement des documents", "Encryption of documents"),
            (
                "Documents, images et messages : AES-256-GCM, une clé par patient.",
                "Documents, images and messages: AES-256-GCM, one key per patient.",
            ),
            active=True,
        ),
        Measure(
            ("Chiffrement du reste de la base", "Encryption of the rest of the database"),
            (
                "Assuré par le volume : à vérifier par l’exploitant.",
                "Left to the volume: for the operator to check.",
            ),
            active=False,
        ),
        Measure(
            ("Chiffrement des échanges", "Encryption in transit"),
            (
                ("TLS à l’adresse publique.", "TLS at the public address.")
                if https
                else (
                    "Aucun : l’adresse publique n’est pas en https.",
                    "None: the public address is not https.",
                )
            ),
            active=https,
        ),
        Measure(
            ("Base de données", "Database"),
            (
                ("Embarquée, prise locale seulement.", "Embedded, local socket only.")
                if local
                else ("Serveur choisi par l’exploitant.", "Server chosen by the operator.")
            ),
            active=True,
        ),
    ]


def switched_on(settings: Settings, *, at: date) -> list[tuple[Flow, bool]]:
    """Return every optional outbound flow, and whether this installation switched it on."""
    return [
        (flow, bool(getattr(settings, flow.setting, None)))
        for _, flow in sorted(flows().holding(at).items())
    ]


@dataclass(frozen=True, slots=True)
class Breach:
    """What the access log says of an incident, for the 72 hours of GDPR article 33.

    Attributes:
        since: first instant, included.
        until: last instant, excluded.
        accesses: how many accesses, refusals apart.
        refusals: how many refusals.
        people: how many patients whose data left.
        types: accesses by resource type.
        agents: accesses by who, most active first.
        rules: accesses by the rule that allowed them.
        peers: how many network addresses.
        emergencies: how many accesses in emergency.
        exports: how many accesses by an export or another operation.
    """

    since: datetime
    until: datetime
    accesses: int
    refusals: int
    people: int
    types: tuple[tuple[str, int], ...]
    agents: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, int], ...]
    peers: int
    emergencies: int
    exports: int
