"""Passwords that breaches made public, and their small variations, are refused without network."""

from __future__ import annotations

import csv
import gzip
import io
import re
from functools import cache
from importlib.resources import files

LEAST_CORE = 4
"""Letters that must stand beside a common word for a password to be another one."""
_DISGUISE = str.maketrans("013457@$!€", "oieastasie")
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_REPEATED = re.compile(r"^(.+?)\1+$", re.DOTALL)


def is_common(password: str) -> bool:
    """Tell whether a password is in the lists, or is a listed one disguised, repeated or numbered.

    >>> [is_common(word) for word in ("Azertyuiop2026!", "m0tdepasse1234", "trois ponts sur Loire")]
    [True, True, False]
    """
    lowered = password.casefold()
    plain = lowered.translate(_DISGUISE)
    forms = {lowered, plain, _ENDS.sub("", lowered), _ENDS.sub("", plain)}
    forms |= {_ENDS.sub("", lowered).translate(_DISGUISE)}
    forms |= {found[1] for form in forms if (found := _REPEATED.match(form))}
    return any(form in _listed() for form in forms if form) or len(set(plain)) < LEAST_CORE


@cache
def _listed() -> frozenset[str]:
    folder = files("hygie.domains.sign_in").joinpath("definitions")
    public = gzip.decompress(folder.joinpath("passwords.txt.gz").read_bytes()).decode().split()
    text = folder.joinpath("passwords_french.csv").read_text("utf-8")
    french = [row["word"] for row in csv.DictReader(io.StringIO(text))]
    return frozenset([*public, *french])
