"""Measurements: fixed, seeded workloads, Headwater and its peers in turns on the same data."""
