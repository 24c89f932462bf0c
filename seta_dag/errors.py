"""Every error that seta_dag raises on purpose. Each says which file, what is wrong, and what to do.

    SetaError
    ├── ConfigError      bad configuration: exit code 2, before anything is built
    │   └── StudentError
    ├── NotBuiltError    an earlier stage has not written its file yet
    ├── ChangedError     the rollouts changed while they were read
    ├── OutputError      a file cannot be written
    │   └── FullDiskError
    ├── InstanceError    Dagster's record of runs cannot be used
    ├── PublishError     the Hub or a check refused a publish
    │   └── UnreachedError
    ├── DatasetError     a dataset does not have the form it must have
    ├── WorkerLostError  a worker was killed each time it was given the same work
    └── ClusterLostError the scheduler of a Dask cluster went away

Bad input never stops a build: it becomes a flag of a row, or a drop with a reason in the ledger.
"""


class SetaError(Exception):
    """Base of all errors of this package."""


class ConfigError(SetaError, ValueError):
    """An option cannot be used; the command line exits with code 2."""


class StudentError(ConfigError):
    """The student's tokenizer or chat template is unknown, unreadable or not the expected one."""


class NotBuiltError(SetaError, FileNotFoundError):
    """A file that an earlier stage writes does not exist yet."""


class ChangedError(SetaError, RuntimeError):
    """The rollouts changed while they were read, so the result may mix two states."""


class OutputError(SetaError, OSError):
    """A file cannot be written where it belongs; the cause is the system's error."""


class FullDiskError(OutputError):
    """There is no space left for a file, which is no fault of the task that it belongs to."""


class InstanceError(SetaError):
    """The Dagster instance that a build is recorded in cannot be opened, read or written."""


class PublishError(SetaError, ConnectionError):
    """A dataset was not published, or was published without its tag; the message says which."""


class UnreachedError(PublishError):
    """There is no connection to the Hub."""


class DatasetError(SetaError, ValueError):
    """A dataset on disk or on the Hub does not have the form it must have."""


class WorkerLostError(SetaError):
    """Every worker that was given some work was killed; the message says how often."""


class ClusterLostError(SetaError, ConnectionError):
    """The scheduler of a Dask cluster went away while there was work to do."""
