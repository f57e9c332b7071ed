"""The access log: durable traces, their Merkle tree, and the AuditEvents served from them."""
