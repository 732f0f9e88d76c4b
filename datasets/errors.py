"""Mistakes that a user can mend."""


class UserError(ValueError):
    """Bad input. The message names the file or field, the rule, the value and the way out; the command exits with 2."""
