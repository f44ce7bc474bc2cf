"""The peers' side of each workload, each run in an environment of its own (see ``install``)."""
