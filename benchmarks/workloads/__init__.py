"""The data that is measured on: the same seed gives the same numbers on every machine."""
