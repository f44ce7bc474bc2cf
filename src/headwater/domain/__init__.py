"""Values, enums, dtypes and transition tables: what the field talks about, with no behaviour of ours."""
