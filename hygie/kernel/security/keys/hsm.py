"""Key-encryption keys inside a PKCS#11 token (OASIS PKCS#11 v2.40, mechanism CKM_AES_GCM).

The keys are made in the token, sensitive and not extractable: they wrap and unwrap there. Needs
the extra ``hygie[pkcs11]`` and the shared library of the token's maker.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from hygie.kernel.errors import ConfigurationError, Unavailable
from hygie.kernel.security.keys.address import Token
from hygie.kernel.security.keys.file import check_is_private
from hygie.kernel.security.keys.port import KEY_BYTES, NONCE_BYTES, TAG_BITS, Wrapped

if TYPE_CHECKING:
    import pkcs11

T = TypeVar("T")
ID_BYTES = 4


class _Held(Protocol):
    """A key in the token: what the types of python-pkcs11 leave out."""

    def encrypt(self, data: bytes, **mechanism: object) -> bytes: ...

    def decrypt(self, data: bytes, **mechanism: object) -> bytes: ...

    def destroy(self) -> None: ...


class TokenKeys:
    """Wraps with AES-256-GCM inside a token, over one session that is opened again when lost."""

    blocks = True

    def __init__(self, address: Token) -> None:
        """Open the token; the first version is made where there is none.

        Raises:
            ConfigurationError: the extra is not installed, or the address or the PIN is wrong.
            Unavailable: the token does not answer.
        """
        try:
            import pkcs11  # noqa: PLC0415 - an extra: only who names a token needs it
        except ImportError as error:
            raise ConfigurationError(
                "HYGIE_KEYS names a PKCS#11 token: install hygie[pkcs11]."
            ) from error
        self._pkcs11 = pkcs11
        self._address = address
        self._session: pkcs11.Session | None = None
        self._keys: dict[int, _Held] = {}
        # One session serves one call at a time.
        self._turn = threading.Lock()
        if not self.versions():
            self._ask(lambda session: self._make(session, 1))

    def versions(self) -> list[int]:
        """Return the versions the token holds."""
        return sorted(self._ask(self._find))

    def wrap(self, key: bytes, *, about: bytes) -> Wrapped:
        """Encrypt a data key with the newest version."""
        version = self.versions()[-1]
        nonce = secrets.token_bytes(NONCE_BYTES)

        def encrypt(session: pkcs11.Session) -> bytes:
            held = self._key(session, version)
            return bytes(held.encrypt(key, **self._gcm(nonce, about)))

        return Wrapped(version, nonce + self._ask(encrypt))

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        """Return the data key."""
        nonce, text = wrapped.text[:NONCE_BYTES], wrapped.text[NONCE_BYTES:]

        def decrypt(session: pkcs11.Session) -> bytes:
            held = self._key(session, wrapped.version)
            return bytes(held.decrypt(text, **self._gcm(nonce, about)))

        return self._ask(decrypt)

    def rotate(self) -> int:
        """Make the next version."""
        version = max(self.versions(), default=0) + 1
        self._ask(lambda session: self._make(session, version))
        return version

    def destroy(self, version: int) -> None:
        """Destroy the object in the token."""
        self._ask(lambda session: self._key(session, version).destroy())
        self._keys.pop(version, None)

    def close(self) -> None:
        """Close the session."""
        with self._turn:
            self._forget()

    def _find(self, session: pkcs11.Session) -> dict[int, _Held]:
        attribute = self._pkcs11.Attribute
        wanted = {
            attribute.CLASS: self._pkcs11.ObjectClass.SECRET_KEY,
            attribute.LABEL: self._address.label,
        }
        return {
            int.from_bytes(key[attribute.ID], "big"): cast("_Held", key)
            for key in session.get_objects(wanted)
        }

    def _key(self, session: pkcs11.Session, version: int) -> _Held:
        if version not in self._keys:
            self._keys = self._find(session)
        if version not in self._keys:
            raise Unavailable(f"The token does not hold key-encryption key {version}.")
        return self._keys[version]

    def _make(self, session: pkcs11.Session, version: int) -> None:
        attribute = self._pkcs11.Attribute
        session.generate_key(
            self._pkcs11.KeyType.AES,
            KEY_BYTES * 8,
            label=self._address.label,
            id=version.to_bytes(ID_BYTES, "big"),
            store=True,
            template={
                attribute.SENSITIVE: True,
                attribute.EXTRACTABLE: False,
                attribute.ENCRYPT: True,
                attribute.DECRYPT: True,
            },
        )

    def _gcm(self, nonce: bytes, about: bytes) -> dict[str, object]:
        return {
            "mechanism": self._pkcs11.Mechanism.AES_GCM,
            "mechanism_param": self._pkcs11.GCMParams(nonce, about, TAG_BITS),
        }

    def _ask(self, question: Callable[[pkcs11.Session], T]) -> T:
        with self._turn:
            try:
                if self._session is None:
                    self._session = self._open()
                return question(self._session)
            except self._pkcs11.PKCS11Error as error:
                # A damaged wrapped key and a lost token say the same general error.
                self._forget()
                raise Unavailable(
                    "The key service does not answer, or refuses a wrapped key "
                    f"({type(error).__name__}); retry in a few seconds."
                ) from error

    def _open(self) -> pkcs11.Session:
        check_is_private(self._address.pin)
        pin = self._address.pin.read_text("utf-8").strip()
        try:
            library = self._pkcs11.lib(str(self._address.module))
        except RuntimeError as error:
            raise self._wrong(error) from error
        try:
            token = library.get_token(token_label=self._address.token)
            try:
                return token.open(user_pin=pin, rw=True)
            except self._pkcs11.UserAlreadyLoggedIn:
                return token.open(rw=True)
        except (self._pkcs11.NoSuchToken, self._pkcs11.PinIncorrect) as error:
            raise self._wrong(error) from error

    def _wrong(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            f"The token {self._address.token} of HYGIE_KEYS cannot be opened "
            f"({type(error).__name__}): check its label, module-path and PIN."
        )

    def _forget(self) -> None:
        self._keys.clear()
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except self._pkcs11.PKCS11Error:
                # The token is gone, and its session with it.
                return
