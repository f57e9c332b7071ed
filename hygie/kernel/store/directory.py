"""Types that hold no patient: directory and definitions, readable by any known caller.

``definitions/directory_types.csv`` is the list; migration 0001 repeats it for the belt, in a table
that the application may only read.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def directory_types() -> frozenset[str]:
    """Return the types that hold no patient.

    >>> "Organization" in directory_types(), "Observation" in directory_types()
    (True, False)
    """
    text = files(__package__).joinpath("definitions/directory_types.csv").read_text("ascii")
    return frozenset(row["type"] for row in csv.DictReader(text.splitlines()))
