from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hygie.kernel.config import _READERS, Settings, environment_of, settings_from_environment
from hygie.kernel.errors import ConfigurationError


def test_the_command_line_wins_over_the_environment() -> None:
    settings = settings_from_environment(environ={"HYGIE_PORT": "9000", "HYGIE_HOST": "::"}, port=1)
    assert (settings.port, settings.host) == (1, "::")


def test_a_child_process_reads_the_same_settings() -> None:
    settings = Settings(
        data=Path("/srv/hygie"), port=81, demo=300, trusted_proxies=("::1",), secret="s" * 40
    )
    assert settings_from_environment(environ=environment_of(settings)) == settings


def test_every_setting_can_be_read_from_the_environment() -> None:
    assert set(_READERS) == {field.name for field in fields(Settings)}


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("HYGIE_PORT", "http", "HYGIE_PORT must be a number"),
        ("HYGIE_NETWORKS", "the hospital", "HYGIE_NETWORKS must be networks"),
        ("HYGIE_SMS_URL", "http://sms.example.org", "HYGIE_SMS_URL must begin with https://"),
        ("HYGIE_MAIL_URL", "mail.example.org", "HYGIE_MAIL_URL must begin with smtp://"),
        ("HYGIE_URL", "example.org", "must begin with http"),
        ("HYGIE_ONLY", "pages", "HYGIE_ONLY is all, api or portal"),
        ("HYGIE_DATABASE_URL", "host=/tmp", "must begin with postgresql"),
        ("HYGIE_TLS_KEY", "/etc/key.pem", "both HYGIE_TLS_CERTIFICATE and"),
    ],
)
def test_unreadable_settings_are_refused(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        settings_from_environment(environ={variable: value})


def test_secrets_are_not_printed() -> None:
    assert "s" * 40 not in repr(Settings(data=Path("var"), secret="s" * 40))


def test_the_realm_follows_the_mode_and_never_contradicts_it(tmp_path: Path) -> None:
    def realm(environ: dict[str, str], demo: int | None = None) -> str:
        return settings_from_environment(tmp_path, environ=environ, demo=demo).identities

    assert realm({}) == "production"
    assert realm({}, 3) == "demonstration"
    assert realm({"HYGIE_REALM": "test"}) == "test"
    for environ, demo in (
        ({"HYGIE_REALM": "demonstration"}, None),
        ({"HYGIE_REALM": "production"}, 3),
        ({"HYGIE_REALM": "test"}, 3),
        ({"HYGIE_REALM": "elsewhere"}, None),
    ):
        with pytest.raises(ConfigurationError, match="HYGIE_REALM"):
            realm(environ, demo)
