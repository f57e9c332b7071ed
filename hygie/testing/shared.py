"""Find the official material that tests read in place, outside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shared_path(relative: str) -> Path:
    """Return a path of the folder ``shared`` that stands beside the checkout.

    The calling test is skipped, with a sentence, where the folder is absent.
    """
    path = ROOT.parent / "shared" / relative
    if not path.exists():
        pytest.skip(f"the shared folder with {relative} does not stand beside the checkout")
    return path
