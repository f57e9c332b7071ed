"""The demonstration accounts: ``accounts.csv``. Their password is chosen elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from hygie.demo.named import people, reference, related_reference
from hygie.demo.tables import rows


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A demonstration account.

    Attributes:
        kind: ``patient``, ``professional``, ``administrator`` or ``researcher``.
        reference: the FHIR reference of the person; None for an administrator, who is nobody in
            the record.
        acts_as: RelatedPerson references of this account in the records of the people it helps
            or represents; a Consent opens those records to it.
        rights: rights of the account that no relation gives.
    """

    login: str
    name: str
    kind: str
    reference: str | None
    acts_as: tuple[str, ...]
    rights: tuple[str, ...]
    story_fr: str
    story_en: str


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    login: str
    name: str
    kind: str
    slug: str = ""
    type: str = ""
    rights: str = ""
    story_fr: str
    story_en: str


@cache
def accounts() -> Sequence[Account]:
    """Return the demonstration accounts, the same for every seed.

    >>> [account.kind for account in accounts()].count("professional")
    7
    """
    return tuple(
        Account(
            login=row.login,
            name=row.name,
            kind=row.kind,
            reference=reference(row.type, row.slug) if row.slug else None,
            acts_as=_acts_as(row.slug),
            rights=tuple(row.rights.split()),
            story_fr=row.story_fr,
            story_en=row.story_en,
        )
        for row in rows("accounts.csv", _Row)
    )


def _acts_as(slug: str) -> tuple[str, ...]:
    return tuple(
        related_reference(story.slug, slug)
        for story in people().patients
        for kin in story.relatives
        if kin.slug == slug and (kin.helper or kin.guardian)
    )
