from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hygie.__main__ import main

Hygie = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty folder that the account of the embedded server can reach."""
    monkeypatch.delenv("HYGIE_DATABASE_URL", raising=False)
    made = Path(tempfile.mkdtemp(prefix="hygie-test-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def hygie(capsys: pytest.CaptureFixture[str]) -> Hygie:
    """Run a command in this process; return its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(each) for each in arguments])
        written = capsys.readouterr()
        return code, written.out, written.err

    return run
