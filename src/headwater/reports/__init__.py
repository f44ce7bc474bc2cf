"""What a finished run says: statistics, terminal summary, run folder, tear sheet, comparison of two runs."""
