"""English is complete: every French text of a page has its translation, compiled."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
CATALOGUES = sorted((ROOT / "hygie").glob("**/locale/en/LC_MESSAGES/django.po"))
IN_TEMPLATE = re.compile(r"""\{% translate (?:"([^"]+)"|'([^']+)')""")
IN_PYTHON = re.compile(r"""\b(?:_|gettext|gettext_lazy)\("([^"]+)"\)""")


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-5])
def test_every_text_of_an_application_is_translated(catalogue: Path) -> None:
    with catalogue.with_suffix(".mo").open("rb") as compiled:
        english = gettext.GNUTranslations(compiled)
    known = set(english._catalog)  # type: ignore[attr-defined]
    application = catalogue.parents[3]
    used = set()
    for template in application.glob("templates/**/*.html"):
        found = IN_TEMPLATE.findall(template.read_text(encoding="utf-8"))
        used |= {double or single for double, single in found}
    for module in application.glob("**/*.py"):
        if "tests" not in module.parts:
            used |= set(IN_PYTHON.findall(module.read_text(encoding="utf-8")))
    assert used
    assert not used - known


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-5])
def test_no_translation_is_empty_or_doubtful(catalogue: Path) -> None:
    text = catalogue.read_text(encoding="utf-8")
    body = text.partition("\n\n")[2]
    assert ", fuzzy" not in text
    assert not re.findall(r'^msgstr(?:\[\d\])? ""$(?!\n")', body, flags=re.MULTILINE)
