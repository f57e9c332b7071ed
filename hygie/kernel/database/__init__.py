"""PostgreSQL as Hygie uses it: the server, its roles, numbered migrations, connections, blobs."""
