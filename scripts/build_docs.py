"""Print the reference pages that say what the code says: ``make docs``.

``--check`` writes nothing and ends with 1 when a page is not up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from docs_access import access_page
from docs_access_log import access_log_page
from docs_errors import errors_page
from docs_matrix import matrix_page
from docs_operations import operations_page
from docs_rules import rules_page

REFERENCE = Path(__file__).resolve().parents[1] / "docs/reference"
PAGES = {
    "access-log.md": access_log_page,
    "access.md": access_page,
    "book-of-rules.md": rules_page,
    "errors.md": errors_page,
    "matrix.md": matrix_page,
    "operations.md": operations_page,
}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` name those that are not up to date."""
    stale = [name for name, printed in PAGES.items() if _written(name) != printed()]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is not up to date: run make docs")
        return 1 if stale else 0
    for name in stale:
        (REFERENCE / name).write_text(PAGES[name](), "utf-8")
        print(f"docs/reference/{name}")
    return 0


def _written(name: str) -> str:
    path = REFERENCE / name
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
