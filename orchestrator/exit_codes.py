"""What the exit code of a command says."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USER = 2
"""A mistake in what was asked."""
EXIT_FINDINGS = 3
"""Of an audit, or of a check of published tables."""
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
"""Whoever reads the output has stopped, as `head` does."""
