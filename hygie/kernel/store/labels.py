"""Policy columns: document class and confidentiality labels (CI-SIS, JDV_J08 and TRE_A03)."""

from __future__ import annotations

import re

from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.security.labels import Label

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
VISIBILITY = "urn:oid:1.2.250.1.213.1.1.4.13"
CLASS_SYSTEM = "1.2.250.1.213.1.1.4.1"
_CLASS = re.compile(r"[0-9]{1,4}", re.ASCII).fullmatch


_BY_CODE = {
    "N": Label.NORMAL,
    "R": Label.RESTRICTED,
    "V": Label.VERY_RESTRICTED,
    "MASQUE_PS": Label.MASKED_FROM_PROFESSIONALS,
    "INVISIBLE_PATIENT": Label.HIDDEN_FROM_PATIENT,
    "INVISIBLE_REPRESENTANTS_LEGAUX": Label.HIDDEN_FROM_REPRESENTATIVES,
}
_LABEL_PARAMETERS = frozenset({"_security", "security-label", "confidentiality"})


def codes_of(labels: Label) -> list[str]:
    """Return the codes of labels, in the order of their bits.

    >>> codes_of(Label.VERY_RESTRICTED | Label.HIDDEN_FROM_PATIENT)
    ['V', 'INVISIBLE_PATIENT']
    """
    return [code for code, bit in _BY_CODE.items() if bit & labels]


def codings_of(labels: Label) -> list[tuple[str, str]]:
    """Return the system and the code of each label (JDV_J08 of the CI-SIS)."""
    return [(CONFIDENTIALITY if len(code) == 1 else VISIBILITY, code) for code in codes_of(labels)]


def label_of(code: str) -> Label:
    """Return the label of a code, none for a code of something else."""
    return _BY_CODE.get(code, Label(0))


def policy_labels(rt: str, found: Extracted) -> tuple[int | None, int]:
    """Return the document class, None for what is no document, and the labels as bits."""
    label = Label(0)
    document_class = None
    for one, system, code in found.tokens:
        if one.code in _LABEL_PARAMETERS and code in _BY_CODE:
            label |= _BY_CODE[code]
        elif one.code == "category" and rt == "DocumentReference" and _is_class(system, code):
            document_class = int(code or 0)
    return document_class, int(label or Label.NORMAL)


def _is_class(system: str | None, code: str | None) -> bool:
    named = system is not None and system.removeprefix("urn:oid:") == CLASS_SYSTEM
    return named and code is not None and _CLASS(code) is not None
