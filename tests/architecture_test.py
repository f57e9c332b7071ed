"""The house rules that a reader would otherwise have to remember."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from hygie.__main__ import COMMANDS
from hygie.kernel import errors
from hygie.kernel.config import Settings

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
FORBIDDEN_SUFFIXES = ("Manager", "Helper", "Utils")
GENERATED = ("hygie/kernel/fhir/r4/",)
TEXT = {
    *(".py", ".md", ".toml", ".txt", ".sh", ".sql", ".json", ".csv", ".html", ".css", ".js"),
    *(".svg", ".po", ".cfg", ".ini", ".yml", ".yaml", ".mk", ""),
}
# Written in pieces, so that this file does not contain what it looks for.
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "yarn" + "pkg.com",
    "crates" + ".io",
    "proxy." + "golang.org",
    "deb." + "debian.org",
    "ghcr" + ".io",
    "hub.docker" + ".com",
)
MACHINE_PATH = re.compile(
    r"(?<![\w.$}])/(?:" + "|".join(("ro" + "ot", "wo" + "rk", "ho" + "me")) + r")/\w"
)


@cache
def tracked() -> tuple[str, ...]:
    """Return the files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return tuple(sorted(names))


def sources() -> Iterator[tuple[str, ast.Module, int]]:
    """Yield each Python file written by hand: name, syntax tree, number of lines."""
    for name in tracked():
        if name.endswith(".py") and not name.startswith(GENERATED):
            text = (ROOT / name).read_text("utf-8")
            yield name, ast.parse(text), text.count("\n")


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text file but the generated ones."""
    for name in tracked():
        if Path(name).suffix in TEXT and not name.startswith(GENERATED):
            yield name, (ROOT / name).read_text("utf-8")


def test_no_file_is_too_long() -> None:
    assert not {name: lines for name, _, lines in sources() if lines > LONGEST_FILE}


def test_no_function_is_too_long() -> None:
    long = {}
    for name, tree, _ in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long[f"{name}:{node.lineno} {node.name}"] = length
    assert not long


def test_no_name_hides_what_a_thing_is() -> None:
    vague = {
        name
        for name, _, _ in sources()
        if FORBIDDEN_NAMES & {part.removesuffix(".py") for part in Path(name).parts}
    }
    vague |= {
        f"{name}: {node.name}"
        for name, tree, _ in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(FORBIDDEN_SUFFIXES)
    }
    assert not vague


def test_nothing_is_mocked_outside_the_simulators() -> None:
    found = {
        name
        for name, tree, _ in sources()
        if not name.startswith("hygie/testing/") and any(_mocks(node) for node in ast.walk(tree))
    }
    assert not found


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name}:{number}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) or any(host in line for host in HOSTS)
    ]
    assert not found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    assert f"`hygie {command}" in (ROOT / "docs/reference/commands.md").read_text("utf-8")


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_every_setting_is_in_the_reference(setting: str) -> None:
    reference = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    assert f"`HYGIE_{setting.upper()}`" in reference


@pytest.mark.parametrize(
    "error",
    [kind for kind in vars(errors).values()
     if isinstance(kind, type) and issubclass(kind, errors.HygieError)],
)  # fmt: skip
def test_every_error_is_in_the_reference(error: type[errors.HygieError]) -> None:
    reference = (ROOT / "docs/reference/errors.md").read_text("utf-8")
    assert f"| `{error.__name__}` | {error.status} | `{error.code}` |" in reference


def _mocks(node: ast.AST) -> bool:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return any(name.split(".")[0] in {"mock", "pytest_mock"} or name == "unittest.mock"
               for name in names)  # fmt: skip
