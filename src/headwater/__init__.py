"""Headwater: record order books, test ideas honestly, trade them with the same engine."""

__version__ = "0.1.0"
