"""Cross-checks of published tables: what cannot be, and what cannot be concluded, from the reported numbers alone."""
