"""Recorded frames of the venues: what each says, and how each proves that none was lost. No files here."""
