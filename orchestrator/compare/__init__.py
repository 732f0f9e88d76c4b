"""Two runs side by side: what differs between them, and what followed. docs/compare.md says how to read it."""
