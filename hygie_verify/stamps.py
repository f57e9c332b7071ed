"""RFC 3161 timestamps; needs ``rfc3161-client``, which nothing else of the verifier does."""

from __future__ import annotations

from cryptography import x509

from hygie_verify.note import Refused

try:
    import rfc3161_client as client
except ImportError:  # the verifier runs without; it then refuses to judge a token
    client = None  # type: ignore[assignment]


def check(token: bytes, stamped: bytes, certificate: bytes) -> None:
    """Check that an authority whose root certificate is given stamped these bytes.

    Raises:
        Refused: it did not, or the token cannot be judged here.
    """
    if client is None:
        raise Refused("install rfc3161-client to judge timestamps")
    try:
        response = client.decode_timestamp_response(token)
        root = x509.load_pem_x509_certificate(certificate)
        verifier = client.VerifierBuilder().add_root_certificate(root).build()
        verifier.verify_message(response, stamped)
    except (ValueError, client.VerificationError) as error:
        raise Refused(str(error) or "it does not hold") from error
