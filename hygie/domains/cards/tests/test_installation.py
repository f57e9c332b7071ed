"""What an installation may say of its cards, and what the start refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hygie.domains.cards.model.holder import holder_of
from hygie.domains.cards.model.installation import Installation, read_installation
from hygie.domains.cards.service.trust import check_installation
from hygie.domains.cards.tests.people import INES, NUMBER
from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError
from hygie.supervisor import cards as supervised
from hygie.testing.card_authority import CardAuthority, main
from hygie.testing.cards import CardPlace
from hygie.testing.simulators.serving import Outside

GOOD = """
realm = "production"
[professional]
address = "https://cards.example.org:8443"
listen = "0.0.0.0:8443"
certificate = "server.pem"
key = "server.key"
authorities = "authorities.pem"
revocation = ["crl"]
policies = ["1.2.3"]
"""


def test_paths_are_beside_the_file(tmp_path: Path) -> None:
    one = read_installation(GOOD, realm="production", folder=tmp_path).professional
    assert one is not None
    assert one.authorities == tmp_path / "authorities.pem"
    assert one.listens_at()[1] == 8443


def test_nothing_is_read_where_nothing_is_said(tmp_path: Path) -> None:
    assert read_installation('realm = "test"', realm="test", folder=tmp_path) == Installation()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('realm = "production"', 'realm = "test"', "realm"),
        ('realm = "production"', "", "realm"),
        ("[professional]", "[profesional]", "profesional"),
        ("listen =", "listens =", "listens"),
        ("https://", "http://", "https"),
        ('policies = ["1.2.3"]', "policies = []", "policies"),
        ('policies = ["1.2.3"]', "", "policies"),
        ('key = "server.key"', "", "certificate and key"),
        ('listen = "0.0.0.0:8443"', "", "header"),
        ('listen = "0.0.0.0:8443"', 'listen = "8443x"', "host:port"),
        ("policies", "header = true\npolicies", "not both"),
        ("policies", "policies = [", "TOML"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in GOOD
    with pytest.raises(ConfigurationError, match=words):
        read_installation(GOOD.replace(before, after, 1), realm="production", folder=tmp_path)


def test_a_simulator_is_of_the_demonstration_only(tmp_path: Path) -> None:
    text = 'realm = "test"\n[vitale]\nauthorities = "a"\npolicies = []\nsimulator = "/x/"\n'
    with pytest.raises(ConfigurationError, match="simulators"):
        read_installation(text, realm="test", folder=tmp_path)


def test_cartes_vitale_are_never_read_in_production(tmp_path: Path) -> None:
    text = 'realm = "production"\n[vitale]\nauthorities = "a"\npolicies = []\n'
    with pytest.raises(ConfigurationError, match="approved"):
        read_installation(text, realm="production", folder=tmp_path)


def test_test_authorities_never_stand_in_production(tmp_path: Path) -> None:
    CardAuthority().write(tmp_path)
    file = tmp_path / "cards.toml"
    file.write_text(GOOD)
    settings = Settings(data=tmp_path, cards=file)
    with pytest.raises(ConfigurationError, match="TEST"):
        check_installation(settings)


def test_real_authorities_never_stand_in_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hygie.domains.cards.model.installation.TEST", "REAL")
    CardAuthority().write(tmp_path)
    file = tmp_path / "cards.toml"
    file.write_text(GOOD.replace("production", "test"))
    with pytest.raises(ConfigurationError, match="realm test"):
        check_installation(Settings(data=tmp_path, cards=file, realm="test"))


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_a_file_without_authorities_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "authorities.pem").write_bytes(content)
    file = tmp_path / "cards.toml"
    file.write_text(GOOD)
    with pytest.raises(ConfigurationError, match="root"):
        check_installation(Settings(data=tmp_path, cards=file))


def test_a_proxy_is_trusted_by_its_address_only(tmp_path: Path, outside: Outside) -> None:
    place = CardPlace(tmp_path, outside)
    told = place.described(outside, header=True)
    place.file.write_text("\n".join(one for one in told.split("\n") if "listen =" not in one))
    settings = Settings(data=tmp_path, cards=place.file, demo=1)
    with pytest.raises(ConfigurationError, match="HYGIE_TRUSTED_PROXIES"):
        check_installation(settings)
    check_installation(replace(settings, trusted_proxies=("10.0.0.9",)))
    assert supervised.command(replace(settings, trusted_proxies=("10.0.0.9",))) == []


def test_the_supervisor_runs_a_listener_that_is_described(tmp_path: Path, outside: Outside) -> None:
    settings = Settings(data=tmp_path, cards=CardPlace(tmp_path, outside).file, demo=1)
    assert supervised.command(settings)[-1] == "hygie.supervisor.cards"
    assert supervised.command(replace(settings, cards=None)) == []
    assert supervised.command(replace(settings, only="api")) == []


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unreadable"):
        supervised.command(Settings(data=tmp_path, cards=tmp_path / "nowhere.toml"))


def test_the_command_of_the_guide_makes_what_a_listener_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(tmp_path), "localhost", NUMBER, INES.rpps, INES.family, INES.given, INES.profession])
    assert "[professional]" in capsys.readouterr().out
    found = check_installation(Settings(data=tmp_path, cards=tmp_path / "cards.toml", demo=1))
    assert found.professional is not None
    assert (tmp_path / "card.key").stat().st_mode & 0o077 == 0


def test_a_number_is_read_where_the_table_says() -> None:
    card = CardAuthority().issue(INES).certificate
    assert holder_of(card, at=card.not_valid_before_utc.date()).number == NUMBER
