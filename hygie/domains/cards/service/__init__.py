"""What the pages and the listener ask: trust, attempts, tickets, accounts, read-outs."""
