"""The programme of the tutorial runs as it stands, and prints what the page says it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from hygie.testing.applications import allow, follow, offered, pick, signed_in
from hygie.testing.portal import Site

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tutorials/smart-app.md"
ERRORS = ROOT / "docs/reference/oauth-errors.md"
DOMAIN = ROOT / "hygie/domains/authorization"


def block(language: str) -> str:
    found = re.search(
        rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    return found[1]


def test_the_programme_of_the_tutorial_prints_what_the_page_says(
    site: Site, live: str, tmp_path: Path
) -> None:
    site.client().post("/developers/sandbox/reset/")
    programme = tmp_path / "notebook.py"
    programme.write_text(block("python"), "utf-8")
    with subprocess.Popen(  # noqa: S603  our own page
        [sys.executable, str(programme)],
        stdout=subprocess.PIPE,
        text=True,
        env={"FHIR": f"{live}/fhir", "PYTHONIOENCODING": "utf-8"},
    ) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        assert first.startswith("Open "), first
        browser = signed_in(site, "bac.claire")
        page = pick(browser, follow(browser, first.split()[1]))
        answer = allow(browser, page, scope=offered(page))
        assert requests.get(answer["Location"], timeout=10).status_code == 200
        rest = running.stdout.read()
    assert rest == block("text")


def documented() -> list[str]:
    rows = [line for line in ERRORS.read_text("utf-8").splitlines() if line.startswith("| `")]
    return sorted({code for row in rows for code in re.findall(r"`(\w+)`", row.split("|")[1])})


def written_tests() -> str:
    files = [*DOMAIN.glob("tests/test_*.py"), *(ROOT / "tests/clients").glob("test_openid*.py")]
    return "\n".join(file.read_text("utf-8") for file in files)


@pytest.mark.parametrize("code", documented())
def test_a_documented_error_is_met_in_a_test(code: str) -> None:
    assert f'"{code}"' in written_tests()


def test_every_error_of_the_provider_is_documented() -> None:
    from authlib.oauth2.rfc6749 import errors

    sources = "\n".join(
        file.read_text("utf-8")
        for folder in ("service", "api", "pages")
        for file in (DOMAIN / folder).glob("*.py")
    )
    written = set(re.findall(r'error = "(\w+)"', sources))
    written |= set(re.findall(r'(?:refused|_Refused|refusal)\(\s*(?:asked, )?"(\w+)"', sources))
    written |= set(re.findall(r'= "(\w+_required|unmet\w+) ?"', sources))
    named: Any = {one: getattr(errors, one) for one in errors.__all__}
    written |= {kind.error for name, kind in named.items() if re.search(rf"\b{name}\b", sources)}
    assert written - {None} <= set(documented())
