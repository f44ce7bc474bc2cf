"""Definitions of features: bars and streaming indicators."""
