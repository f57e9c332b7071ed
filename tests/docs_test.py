"""The documentation says what the code does: printed pages, links, names, and the tutorial."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from hygie.__main__ import parser
from hygie.kernel.config import Settings
from hygie.testing.service import Service

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]+)?\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
VARIABLE = re.compile(r"\bHYGIE_[A-Z_]+\b")
MADE = re.compile(r"^(?:`|\S+=\S* )?make ([a-z][a-z-]*)", re.MULTILINE)
TUTORIAL = ROOT / "docs/tutorials/first-fhir-client.md"
EVERYWHERE = {"--data", "--help"}
OF_THE_TUTORIAL = {"HYGIE_TOKEN"}
"""Variables of the reader's own shell."""


def test_the_printed_pages_are_up_to_date() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(ROOT / "scripts/build_docs.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    text = FENCED.sub("", page.read_text("utf-8"))
    broken = [
        target
        for target, _ in LINK.findall(text)
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


@pytest.mark.parametrize("name", NAMES)
def test_variables_named_in_the_pages_are_settings(name: str) -> None:
    known = {f"HYGIE_{field.name.upper()}" for field in fields(Settings)} | OF_THE_TUTORIAL
    assert set(VARIABLE.findall((ROOT / name).read_text("utf-8"))) <= known


def test_every_option_of_a_command_is_in_the_reference() -> None:
    rows = {
        line.split("`")[1].split()[1]: line
        for line in (ROOT / "docs/reference/commands.md").read_text("utf-8").splitlines()
        if line.startswith("| `hygie ")
    }
    missing = [
        f"{command} {option}"
        for command, option in options()
        if option not in EVERYWHERE and not re.search(rf"[` ]{option}\b", rows[command])
    ]
    assert not missing


def test_every_decision_record_is_in_the_list() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text("utf-8")
    records = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert records
    assert not [record.name for record in records if f"({record.name})" not in listed]
    numbers = [int(record.name[:4]) for record in records]
    assert numbers == list(range(1, len(records) + 1))


def test_every_table_of_others_is_credited() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    folders = [
        str(source.parent.relative_to(ROOT))
        for root in ("hygie", "tests")
        for source in (ROOT / root).rglob("SOURCE.md")
    ]
    assert folders
    assert not [folder for folder in folders if f"{folder}" not in notice]


def test_make_targets_named_in_the_pages_exist() -> None:
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    named = {target for page in PAGES for target in MADE.findall(_code(page))}
    assert named <= targets


def test_the_tutorial_runs(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYGIE_TOKEN", service.token())
    blocks = re.findall(
        r"^```python\n(.*?)^```", TUTORIAL.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    script = "\n".join(blocks).replace("http://127.0.0.1:8000/fhir", service.base)
    exec(compile(script, str(TUTORIAL), "exec"), {})  # noqa: S102 - it is our own text


def options() -> Iterator[tuple[str, str]]:
    """Yield each command with each of its options."""
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                for one in command._actions:
                    yield from ((name, long) for long in one.option_strings if long[:2] == "--")


def _code(page: Path) -> str:
    """Return what stands in a page as code."""
    text = page.read_text("utf-8")
    return "\n".join([*FENCED.findall(text), *re.findall(r"`[^`\n]+`", FENCED.sub("", text))])
