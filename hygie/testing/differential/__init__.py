"""Differential non-interference: what somebody may not see changes no answer they get.

Database D and its copy D' differ by one record that the caller may not see. The same requests are
sent to both; every answer must be the same, byte for byte: status, headers, body, order, links and
totals. Only instants and ids that the servers made meanwhile are given common names.
"""
