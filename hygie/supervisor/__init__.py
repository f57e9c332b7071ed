"""The one programme that owns the others: PostgreSQL, serving workers and the job worker."""
