"""Adapters to files and databases: foreign formats in, the catalog, the tape on disk."""
