"""What a command says instead of a traceback: mistakes that a user can mend, failures that are no one's, findings."""


class UserError(ValueError):
    """Bad input. The message names the file or field, the rule, the value and the way out; the command exits with 2."""


class FailedError(RuntimeError):
    """What the work depends on has failed. The message says what, what is kept and what to do; the exit code is 1."""


class FindingsError(RuntimeError):
    """The audit has findings, and was to stop at any. The message says where they are; the exit code is 3."""
