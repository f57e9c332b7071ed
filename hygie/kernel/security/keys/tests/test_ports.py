"""One suite for both key services."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hygie.kernel.errors import ConfigurationError, Unavailable
from hygie.kernel.security.keys.address import Token
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.hsm import TokenKeys
from hygie.kernel.security.keys.port import KeyPort, Wrapped

KEY = secrets.token_bytes(32)
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
Make = Callable[[], KeyPort]


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """Give a token of SoftHSM2: a hardware module in software, for tests."""
    module = next((Path(path) for path in MODULES if Path(path).exists()), None)
    if module is None:
        pytest.skip("SoftHSM2 is not installed: apt-get install softhsm2")
    pytest.importorskip(
        "pkcs11", reason="python-pkcs11 is not installed: pip install hygie[pkcs11]"
    )
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    pin = folder / "pin"
    pin.touch(mode=0o600)
    pin.write_text("1234\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        subprocess.run(
            [  # noqa: S607 - wherever Debian has it
             "softhsm2-util", "--init-token", "--free", "--label", "hygie-test",
             "--pin", "1234", "--so-pin", "4321"],
            check=True, capture_output=True,
        )  # fmt: skip
        yield Token(module, "hygie-test", "hygie-kek", pin)


@pytest.fixture(params=["file", "token"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Give what opens the same keys each time."""
    if request.param == "file":
        return lambda: FileKeys(tmp_path / "kek")
    address: Token = request.getfixturevalue("soft_token")
    own = Token(address.module, address.token, f"kek-{secrets.token_hex(4)}", address.pin)
    return lambda: TokenKeys(own)


def test_what_was_wrapped_is_unwrapped_by_the_next_process(make: Make) -> None:
    wrapped = make().wrap(KEY, about=b"patient 7")
    assert make().unwrap(wrapped, about=b"patient 7") == KEY


def test_a_wrapped_key_says_nothing_of_the_key(make: Make) -> None:
    port = make()
    first, second = port.wrap(KEY, about=b""), port.wrap(KEY, about=b"")
    assert first != second
    assert KEY not in first.text


def test_the_key_of_one_patient_does_not_open_as_another_s(make: Make) -> None:
    port = make()
    wrapped = port.wrap(KEY, about=b"patient 7")
    with pytest.raises(Unavailable):
        port.unwrap(wrapped, about=b"patient 8")


def test_a_damaged_wrapped_key_is_refused(make: Make) -> None:
    port = make()
    version, text = port.wrap(KEY, about=b"")
    with pytest.raises(Unavailable):
        port.unwrap(Wrapped(version, text[:-1] + bytes([text[-1] ^ 1])), about=b"")
    assert port.unwrap(Wrapped(version, text), about=b"") == KEY


def test_older_versions_still_unwrap_after_a_rotation(make: Make) -> None:
    port = make()
    old = port.wrap(KEY, about=b"")
    assert port.rotate() == 2
    assert port.wrap(KEY, about=b"").version == 2
    assert port.unwrap(old, about=b"") == KEY


def test_a_rotation_is_seen_by_who_had_opened_before(make: Make) -> None:
    port, other = make(), make()
    other.rotate()
    wrapped = port.wrap(KEY, about=b"")
    assert (wrapped.version, port.unwrap(wrapped, about=b"")) == (2, KEY)


def test_a_destroyed_version_unwraps_no_more(make: Make) -> None:
    port, other = make(), make()
    old = port.wrap(KEY, about=b"")
    assert other.unwrap(old, about=b"") == KEY
    port.rotate()
    port.destroy(1)
    for each in (port, other, make()):
        with pytest.raises(Unavailable):
            each.unwrap(old, about=b"")
        assert each.versions() == [2]


def test_the_token_never_gives_a_key_out(soft_token: Token) -> None:
    import pkcs11

    port = TokenKeys(soft_token)
    port.wrap(KEY, about=b"")
    (held,) = port._keys.values()
    assert isinstance(held, pkcs11.SecretKey)
    with pytest.raises(pkcs11.AttributeSensitive):
        held[pkcs11.Attribute.VALUE]
    assert held[pkcs11.Attribute.EXTRACTABLE] is False


def test_an_unknown_token_is_refused_with_a_sentence(soft_token: Token) -> None:
    with pytest.raises(ConfigurationError, match="check its label"):
        TokenKeys(Token(soft_token.module, "nobody", "kek", soft_token.pin))


def test_a_module_that_is_not_there_is_refused(soft_token: Token) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        TokenKeys(Token(Path("/nowhere.so"), "hygie-test", "kek", soft_token.pin))


def test_a_pin_that_others_can_read_is_refused(soft_token: Token, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("1234")
    pin.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        TokenKeys(Token(soft_token.module, soft_token.token, "kek", pin))


def test_keys_in_files_are_for_their_owner_only(tmp_path: Path) -> None:
    FileKeys(tmp_path / "kek").rotate()
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "kek").iterdir()}
    assert (modes, (tmp_path / "kek").stat().st_mode & 0o777) == ({0o600}, 0o700)


@pytest.mark.parametrize("name", ["", "0001"])
def test_keys_that_others_can_read_are_refused(tmp_path: Path, name: str) -> None:
    FileKeys(tmp_path / "kek")
    (tmp_path / "kek" / name).chmod(0o755)
    with pytest.raises(ConfigurationError, match="can be read by others: run chmod"):
        FileKeys(tmp_path / "kek")


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    FileKeys(tmp_path / "kek")
    (tmp_path / "kek" / "0001").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="holds no key"):
        FileKeys(tmp_path / "kek")


def test_two_programmes_that_rotate_at_once_make_one_key(tmp_path: Path) -> None:
    first, second = FileKeys(tmp_path / "kek"), FileKeys(tmp_path / "kek")
    (tmp_path / "kek" / "0002").hardlink_to(tmp_path / "kek" / "0001")
    assert first.wrap(KEY, about=b"").version == 2
    assert second.unwrap(first.wrap(KEY, about=b""), about=b"") == KEY
