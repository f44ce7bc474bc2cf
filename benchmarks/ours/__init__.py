"""Headwater's side of each workload."""
