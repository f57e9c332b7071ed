"""Confidentiality labels of the CI-SIS (value set JDV_J08) as bits of the column ``label``.

The last bit is no label of that set: the store alone sets it, on earlier versions, and no client
sends or receives it (``store/withdrawing.py``).
"""

from __future__ import annotations

from enum import IntFlag


class Label(IntFlag):
    """Labels of a resource; one without any is normal (N)."""

    NORMAL = 1
    RESTRICTED = 2
    VERY_RESTRICTED = 4
    MASKED_FROM_PROFESSIONALS = 8
    HIDDEN_FROM_PATIENT = 16
    HIDDEN_FROM_REPRESENTATIVES = 32
    WITHDRAWN = 64


NO_LABEL = Label(0)
