"""Outside identity: FranceConnect, FranceConnect+, Pro Santé Connect and e-carte Vitale.

OpenID clients (OpenID Connect Core 1.0, RFC 6749, 7636, 9207, CIBA), the pivot identity matched to
the INS on strict traits (RNIV), a queue for what a human must decide, and what the token of a
professional says of roles and structures: Practitioner, PractitionerRole, Organization (FR Core).
"""
