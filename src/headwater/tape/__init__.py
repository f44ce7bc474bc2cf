"""The tape: its arrays, their merge and joins, and the certificate of quality.

No files here: those are in storage.
"""
