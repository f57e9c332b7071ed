"""What Hygie says of itself as a provider.

Sources: RFC 8414; OpenID Connect Discovery 1.0, section 3; CIBA Core 1.0, section 4; SMART App
Launch 2.2.0, "Conformance".
"""

from __future__ import annotations

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import GRANTS, KEY_ALGORITHMS, SIGNATURES, Proof
from hygie.domains.authorization.model.levels import EIDAS

Document = dict[str, object]
SCOPES = (
    *words.PLAIN,
    *(f"{context}/*.{letters}" for context in ("patient", "user") for letters in ("rs", "cruds")),
    "system/*.rs",
)


def openid_configuration(issuer: str) -> Document:
    """Return the metadata of the provider, for OpenID clients."""
    return {
        **server_metadata(issuer),
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SIGNATURES),
        "claim_types_supported": ["normal"],
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"),
            *("name", "fhirUser"),
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent"],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["fr", "en"],
    }


def server_metadata(issuer: str) -> Document:
    """Return the metadata of the authorization server (RFC 8414, section 2)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "backchannel_authentication_endpoint": f"{issuer}/oauth/bc-authorize",
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_user_code_parameter_supported": False,
        "registration_endpoint_page": f"{issuer}/developers/",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "acr_values_supported": list(EIDAS[1:]),
        "token_endpoint_auth_methods_supported": [one.value for one in Proof],
        "token_endpoint_auth_signing_alg_values_supported": list(KEY_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint_auth_methods_supported": [one.value for one in Proof],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{issuer}/developers/",
    }


def smart_configuration(issuer: str) -> Document:
    """Return the configuration of SMART App Launch."""
    known = server_metadata(issuer)
    names = (
        *("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint"),
        *("introspection_endpoint", "revocation_endpoint", "grant_types_supported"),
        *("token_endpoint_auth_methods_supported", "scopes_supported"),
        *("token_endpoint_auth_signing_alg_values_supported", "response_types_supported"),
        "code_challenge_methods_supported",
    )
    return {
        **{name: known[name] for name in names},
        "management_endpoint": f"{issuer}/home/",
        "capabilities": [
            *("launch-ehr", "launch-standalone", "authorize-post"),
            *("client-public", "client-confidential-symmetric", "client-confidential-asymmetric"),
            *("sso-openid-connect", "context-banner", "context-style"),
            *("context-ehr-patient", "context-ehr-encounter", "context-standalone-patient"),
            *("permission-offline", "permission-online", "permission-patient", "permission-user"),
            *("permission-v1", "permission-v2"),
        ],
    }
