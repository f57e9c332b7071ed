"""The facts a decision may depend on, in the words of the tables; a case is the set that holds.

A case is one number: bit ``n`` says that fact ``FACTS[n]`` holds. Sets of facts are numbers too.
"""

from __future__ import annotations

READERS = ("operator", "job", "person", "professional", "administrator", "researcher")
PURPOSES = ("TREAT", "ETREAT", "HPAYMT", "PATRQT", "HRESCH", "PUBHLTH", "HOPERAT")
OWN = (
    "care_team", "helper", "treating", "consented", "blocked", "emergency", "centre_15", "parent",
    "guardian", "manages", "helper_administrative",
)  # fmt: skip
"""What the reader and the patient are to each other now."""
RECORD = (
    "minor", "team_consent", "closed", "opposed", "refuses_emergency", "refuses_centre_15",
    "restricted", "refuses_research", "under_16",
)  # fmt: skip
"""What holds of the record now."""
PRINCIPAL = tuple(
    f"principal_{one}"
    for one in ("care_team", "treating", "consented", "blocked", "emergency", "centre_15")
)
"""What a professional under whom the reader acts is to the patient now."""
LABELS = (
    "masked", "very_restricted", "unannounced", "hidden_from_representatives", "restricted_r",
    "withdrawn",
)  # fmt: skip
"""``withdrawn``: an earlier version that was corrected, or whose resource was deleted."""
MATTERS = (
    "in_matrix", "administrative", "billing", "personal", "choice", "decision",
    "emergency_declaration",
)  # fmt: skip
"""What the resource is about; ``in_matrix``: the reader's row of the matrix has it."""
DUTIES = ("duty_announce", "duty_withhold", "duty_keep_secret")
"""What the law reserves to some professions, where the reader practises one of them."""
OTHERS = ("self", "directory", "author", "right_review", *DUTIES)
"""``directory``: a type that holds no patient, and no patient is named."""

FACTS: tuple[str, ...] = (
    *(f"reader {one}" for one in READERS),
    *(f"purpose {one}" for one in PURPOSES),
    *OTHERS,
    *MATTERS,
    *LABELS,
    *OWN,
    *RECORD,
    *PRINCIPAL,
)
BIT = {name: 1 << place for place, name in enumerate(FACTS)}
"""The bit of each fact by its name."""


def bits(*names: str) -> int:
    """Return the number of a set of facts.

    Raises:
        KeyError: there is no such fact.
    """
    return sum(BIT[name] for name in set(names))


def named(case: int) -> list[str]:
    """Return the facts of a case in words.

    >>> named(bits("reader person", "self"))
    ['reader person', 'self']
    """
    return [name for name, bit in BIT.items() if case & bit]
