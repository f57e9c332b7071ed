"""The FHIR repository: the only part that composes decision, read or write, trace and facts."""

from hygie.kernel.store.model import Entry, Found, Person, Stored, Written
from hygie.kernel.store.opening import open_repository
from hygie.kernel.store.repository import Repository
from hygie.kernel.store.visits import Visit

__all__ = [
    "Entry",
    "Found",
    "Person",
    "Repository",
    "Stored",
    "Visit",
    "Written",
    "open_repository",
]
