"""The witness: another process, and better another machine, that keeps and cosigns the heads.

C2SP tlog-witness and tlog-cosignature with Ed25519. It accepts a head only when a proof shows that
the log begins with all it ever accepted: a tail that was removed with its heads, and a history
that was rewritten with the log's own key, are both refused by it and seen by who asks it.
"""
