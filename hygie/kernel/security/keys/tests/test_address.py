from __future__ import annotations

from pathlib import Path

import pytest

from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError
from hygie.kernel.security.keys.address import Token, read_address
from hygie.kernel.security.keys.opening import check_keys


def test_an_address_names_everything() -> None:
    text = "pkcs11:token=H%C3%B4pital;object=kek?module-path=/lib/hsm.so&pin-source=file:/etc/pin"
    assert read_address(text) == Token(Path("/lib/hsm.so"), "Hôpital", "kek", Path("/etc/pin"))


@pytest.mark.parametrize(
    "text",
    ["file", "pkcs11:", "pkcs11:token=x?module-path=/lib", "https://hsm.example.org/"],
)
def test_other_addresses_are_refused_with_the_form_to_give(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="pkcs11:token=LABEL"):
        check_keys(Settings(data=tmp_path, keys=text))


def test_the_start_makes_the_first_key(tmp_path: Path) -> None:
    check_keys(Settings(data=tmp_path))
    assert (tmp_path / "keys" / "kek" / "0001").stat().st_size == 32


def test_the_start_refuses_a_key_that_others_can_read(tmp_path: Path) -> None:
    check_keys(Settings(data=tmp_path))
    (tmp_path / "keys" / "kek" / "0001").chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        check_keys(Settings(data=tmp_path))
