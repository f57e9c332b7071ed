from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hygie.commands.tests.conftest import Hygie
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server
from hygie.kernel.database.session import connect

ACCOUNTS = """
CREATE TABLE portal.sign_in_user (id int, username text, kind text, fhir_reference text,
  rights text[], is_active boolean);
INSERT INTO portal.sign_in_user VALUES
  (1, 'Lucas', 'professional', 'Practitioner/lucas', '{identify}', true),
  (2, 'operator', 'administrator', '', '{}', true),
  (3, 'gone', 'patient', 'Patient/gone', '{}', false);
"""


def _token_row(dsn: str, token: str) -> tuple[object, ...] | None:
    digest = hashlib.sha256(token.encode()).digest()
    with connect(dsn, role=roles.OWNER) as session:
        return session.execute(
            "SELECT kind, party > 0, reference, purpose, rights,"
            " round(extract(epoch FROM expires - issued) / 3600)::int"
            " FROM access_token WHERE digest = %s",
            (digest,),
        ).fetchone()


def test_a_token_is_printed_and_only_its_digest_kept(folder: Path, hygie: Hygie) -> None:
    hygie("migrate", "--data", folder)
    code, out, _ = hygie("token", "--as", "system", "--data", folder)
    assert (code, len(out.strip())) == (0, 43)
    with server.running(Settings(data=folder)) as ready:
        row = _token_row(ready.dsn, out.strip())
    assert row == (0, False, "system", "HOPERAT", [], 12)


def test_a_token_works_for_accounts_while_hygie_runs(folder: Path, hygie: Hygie) -> None:
    with server.running(Settings(data=folder)) as ready:
        with connect(ready.dsn, role=roles.PORTAL) as session:
            session.execute(ACCOUNTS.encode())
        _, doctor, _ = hygie("token", "--as", "lucas", "--hours", 1, "--data", folder)
        _, operator, _ = hygie("token", "--as", "operator", "--data", folder)
        code, _, err = hygie("token", "--as", "gone", "--data", folder)
        assert (code, "No active account has the login 'gone'" in err) == (1, True)
        assert _token_row(ready.dsn, doctor.strip()) == (
            2, True, "Practitioner/lucas", "TREAT", ["identify"], 1,
        )  # fmt: skip
        assert _token_row(ready.dsn, operator.strip()) == (
            3, False, "account/2", "HOPERAT", [], 12,
        )  # fmt: skip


def test_an_unknown_account_is_refused(folder: Path, hygie: Hygie) -> None:
    hygie("migrate", "--data", folder)
    code, _, err = hygie("token", "--as", "nobody", "--data", folder)
    assert (code, "give one that exists, or --as system" in err) == (1, True)


def test_migrate_says_what_it_did_once(folder: Path, hygie: Hygie) -> None:
    first = hygie("migrate", "--data", folder)[1]
    assert "0001_store" in first
    assert hygie("migrate", "--data", folder)[1] == "The database is up to date.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "::"], "never cross a network in clear"),
        (["--port", "80000"], "HYGIE_PORT"),
    ],
)
def test_serve_refuses_unsafe_or_impossible_starts(
    folder: Path, hygie: Hygie, arguments: list[str], sentence: str
) -> None:
    code, _, err = hygie("serve", "--data", folder / "data", *arguments)
    assert (code, sentence in err) == (2, True)
    assert not (folder / "data").exists()


def test_an_unreachable_real_server_is_told_without_its_password(
    folder: Path, hygie: Hygie, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://someone:topsecret@127.0.0.1:1/nothing"
    monkeypatch.setenv("HYGIE_DATABASE_URL", url)
    code, _, err = hygie("migrate", "--data", folder)
    assert (code, "HYGIE_DATABASE_URL does not answer" in err) == (2, True)
    assert "topsecret" not in err


@pytest.mark.parametrize("wrong", ["?sslmod=require", ":port/hygie"])
def test_an_address_that_cannot_be_read_is_told_without_its_password(
    folder: Path, hygie: Hygie, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("HYGIE_DATABASE_URL", f"postgresql://someone:topsecret@127.0.0.1{wrong}")
    code, _, err = hygie("migrate", "--data", folder)
    assert (code, err.startswith("hygie: "), "topsecret" in err) == (2, True, False)


@pytest.mark.parametrize("place", ["file", "file/data"])
@pytest.mark.parametrize("command", [["serve", "--demo", "8"], ["serve"], ["migrate"]])
def test_a_data_folder_that_cannot_be_made_is_told(
    folder: Path, hygie: Hygie, command: list[str], place: str
) -> None:
    (folder / "file").touch()
    code, _, err = hygie(*command, "--data", folder / place)
    assert (code, "cannot be used" in err) == (2, True)


@pytest.mark.parametrize(
    "command", [["token", "--as", "system"], ["export", "--to", "out"], ["backup", "out"]]
)
def test_a_question_to_an_empty_folder_makes_no_new_hygie_there(
    folder: Path, hygie: Hygie, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    code, _, err = hygie(*command, "--data", folder / "elsewhere")
    assert (code, "There is no Hygie in" in err) == (1, True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["fly"], ["token"], ["serve", "--port", "0"]])
def test_wrong_options_are_explained(hygie: Hygie, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        hygie(*arguments)
    assert ended.value.code == 2
