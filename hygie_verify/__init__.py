"""Verify an export of Hygie's access log offline, without trusting the platform that made it.

Needs Python 3.11 and ``cryptography``; imports nothing of Hygie. Use:
``python -m hygie_verify EXPORT --key VERIFIER_KEY --known CHECKPOINT``.
"""
