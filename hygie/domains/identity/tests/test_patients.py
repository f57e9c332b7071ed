"""Finding one's own patients."""

from __future__ import annotations

import pytest

from hygie.testing.portal import Site

PATH = "/professional/patients/"


@pytest.mark.parametrize(
    ("text", "found", "missing"),
    [
        ("", ["Nora MARTIN", "Paul DURAND"], []),
        ("martin", ["Nora MARTIN"], ["Paul DURAND"]),
        ("martyn", ["Nora MARTIN"], ["Paul DURAND"]),
        ("12/05/1959", ["Nora MARTIN"], ["Paul DURAND"]),
        ("259055512345691", ["Nora MARTIN"], ["Paul DURAND"]),
        ("zzzzzz", [], ["Nora MARTIN", "Paul DURAND"]),
    ],
)
def test_a_patient_is_found(site: Site, text: str, found: list[str], missing: list[str]) -> None:
    page = site.client("dr.petit").get(PATH, {"q": text}).content.decode()
    assert [name for name in found if name not in page] == []
    assert [name for name in missing if name in page] == []


def test_a_result_tells_age_and_ins_and_leads_to_the_record(site: Site) -> None:
    page = site.client("dr.petit").get(PATH, {"q": "martin"}).content.decode()
    assert "67 ans" in page
    assert "2\u202f59\u202f05" in page
    assert 'href="/professional/record/nora-martin/"' in page


def test_a_search_longer_than_any_name_is_refused(site: Site) -> None:
    assert site.client("dr.petit").get(PATH, {"q": "x" * 101}).status_code == 400
