"""Streaming indicators, one a file: parameters, a compiled step, and a class for Python."""
