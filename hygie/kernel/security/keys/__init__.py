"""Keys and encryption: what is opaque anyway leaves the disk as ciphertext (docs/adr/0016).

Three layers. A key-encryption key stands in a key service (``KeyPort``: a file, or a PKCS#11
token). It wraps one data key per patient, in a schema apart (``Keyring``). A data key seals
documents, each bound to its place (``seal``). To destroy a patient's keys is to shred everything
sealed with them; the erasure ledger repeats that after each restore.
"""

from hygie.kernel.security.keys.keyring import DataKey, Keyring, open_keyring
from hygie.kernel.security.keys.ledger import Erasure, Ledger
from hygie.kernel.security.keys.opening import check_keys, open_port
from hygie.kernel.security.keys.port import KeyPort, Wrapped
from hygie.kernel.security.keys.seal import Place
from hygie.kernel.security.keys.shredding import NO_PATIENT, repeat, shred

__all__ = [
    "NO_PATIENT",
    "DataKey",
    "Erasure",
    "KeyPort",
    "Keyring",
    "Ledger",
    "Place",
    "Wrapped",
    "check_keys",
    "open_keyring",
    "open_port",
    "repeat",
    "shred",
]
