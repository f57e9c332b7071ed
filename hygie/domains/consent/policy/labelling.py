"""Who adds and removes which confidentiality label (CI-SIS, JDV_J08), and why.

Setting a label and lifting it are two acts with two lists of people. Sources: articles L.1111-5 and
L.1111-5-1 of the public health code (secrecy of a minor: doctor, midwife, nurse); articles
R.4127-35, R.4127-232 and R.4127-323 (who informs); reference of the DMP. The professions are dated
rows of ``definitions/duties.csv``. What the sources leave open: ``docs/adr/0024-labels.md``.
"""

from __future__ import annotations

from typing import Final

from hygie.domains.consent.policy import words as said
from hygie.domains.consent.policy.rules import (
    CARE,
    FOR_OTHERS,
    IN_TEAM,
    MINOR,
    REPRESENTS,
    SHOWN,
    SYSTEM,
    TEAM_CONSENT,
    TREATING,
    UNDER_16,
)
from hygie.kernel.security.algebra import Policy, Rule
from hygie.kernel.security.atoms import (
    AUTHOR,
    IN_MATRIX,
    IS_JOB,
    IS_PATIENT,
    OWN_RECORD,
    UNANNOUNCED,
    has_duty,
)
from hygie.kernel.security.caller import Duty
from hygie.kernel.security.clauses import Clause
from hygie.kernel.security.labels import Label
from hygie.kernel.security.policies import Moves

MAY_ANNOUNCE = has_duty(Duty.ANNOUNCE, said.MAY_ANNOUNCE)
MAY_WITHHOLD = has_duty(Duty.WITHHOLD, said.MAY_WITHHOLD)
MAY_KEEP_SECRET = has_duty(Duty.KEEP_SECRET, said.MAY_KEEP_SECRET)

_OWN: Final[tuple[Clause, ...]] = (IS_PATIENT, OWN_RECORD, ~UNDER_16, ~UNANNOUNCED)
_TEAM: Final[tuple[Clause, ...]] = (*CARE, IN_TEAM, TEAM_CONSENT, *SHOWN)

RELABEL: Final = Policy(
    (
        SYSTEM,
        Rule("job", (IS_JOB, IN_MATRIX), *said.JOB_RULE),
        Rule("own-record", (*_OWN, MINOR), *said.MINOR_LABEL_RULE),
        Rule("own-adult-record", _OWN, *said.OWN_LABEL_RULE),
        Rule("representative", (IS_PATIENT, REPRESENTS, *FOR_OTHERS), *said.REPRESENTATIVE_LABEL),
        Rule("author", (*CARE, AUTHOR), *said.AUTHOR_LABEL_RULE),
        Rule("treating", (*CARE, TREATING, IN_MATRIX), *said.TREATING_LABEL_RULE),
        Rule("team-announces", (*_TEAM, MAY_ANNOUNCE), *said.TEAM_ANNOUNCES_RULE),
        Rule("team-withholds", (*_TEAM, MAY_WITHHOLD), *said.TEAM_WITHHOLDS_RULE),
        Rule("team-keeps-secret", (*_TEAM, MAY_KEEP_SECRET), *said.TEAM_SECRET_RULE),
    ),
    every=True,
)
"""Who may change the labels of a resource; ``RELABELS`` says which, and which way."""

_EVERY = Label(0b111111)
_MASK = Label.MASKED_FROM_PROFESSIONALS
_ANNOUNCE = Label.HIDDEN_FROM_PATIENT
_SECRECY = Label.HIDDEN_FROM_REPRESENTATIVES
RELABELS: Final = {
    "system": Moves.both(_EVERY),
    "job": Moves(removes=_ANNOUNCE),
    "own-record": Moves.both(_MASK | _SECRECY),
    "own-adult-record": Moves.both(_MASK),
    "representative": Moves.both(_MASK),
    "author": Moves.both(_EVERY),
    "treating": Moves.both(_MASK | _ANNOUNCE | _SECRECY),
    "team-announces": Moves(removes=_ANNOUNCE),
    "team-withholds": Moves(adds=_ANNOUNCE),
    "team-keeps-secret": Moves(adds=_SECRECY),
}
"""By rule, the labels it lets add, and those it lets remove."""
