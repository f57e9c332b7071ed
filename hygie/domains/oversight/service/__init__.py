"""The use cases: score a day, work through the queue, report an access, protect a record."""
