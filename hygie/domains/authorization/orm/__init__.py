"""What is kept of applications, consents and keys; every secret as its SHA-256 only."""

from hygie.domains.authorization.orm.apps import App, Pairing
from hygie.domains.authorization.orm.grants import Asked, Ciba, Code, Family, Launch, Refresh
from hygie.domains.authorization.orm.keeping import Notice, SigningKey, Used, Visit

__all__ = [
    "App",
    "Asked",
    "Ciba",
    "Code",
    "Family",
    "Launch",
    "Notice",
    "Pairing",
    "Refresh",
    "SigningKey",
    "Used",
    "Visit",
]
