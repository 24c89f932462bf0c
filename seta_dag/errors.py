"""Every error that seta_dag raises on purpose: what is wrong, where, and what to do.

Bad input never raises out of a build: it becomes a drop with a reason in the ledger.
Bad configuration raises `ConfigError` before anything is built.
"""


class SetaError(Exception):
    """Base of all errors of this package."""


class ConfigError(SetaError, ValueError):
    """A setting can't be used; the command line ends with exit code 2."""


class StudentError(ConfigError):
    """The student's tokenizer or chat template is unknown, unreadable or not the expected one."""


class NotBuiltError(SetaError, FileNotFoundError):
    """A file that an earlier stage writes is not there yet."""


class ChangedError(SetaError, RuntimeError):
    """The input changed while it was read, so what was read of it may be of no one state."""


class OutputError(SetaError, OSError):
    """A file can't be written where it belongs; its cause is what the system said."""


class PublishError(SetaError, ConnectionError):
    """A dataset was not published; nothing of it is visible on the Hub."""


class DatasetError(SetaError, ValueError):
    """A dataset on disk or on the Hub does not have the form that it must have."""
