"""The pages of a record, rendered by the real templates."""

from __future__ import annotations

from hygie.testing.portal import Site
from hygie.testing.stories import NORA

PRO = "/professional/record"
MINE = "/patient/record"


def test_a_professional_reads_the_summary(site: Site) -> None:
    text = site.client("dr.petit").get(f"{PRO}/{NORA}/").content.decode()
    for expected in ("Diabète de type 2", "Pénicilline", "risque élevé", "Metformine", "7,1"):
        assert expected in text, expected
