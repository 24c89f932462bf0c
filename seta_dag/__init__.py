"""Agent rollouts in, token-exact SFT datasets out, as a Dagster asset graph.

What users import is here, and each name is imported when it is first used: `import seta_dag` costs nothing.
The folders are the path of a rollout: rollouts, tokens, dataset, hub (docs/architecture.md).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seta_dag.errors import (
        ChangedError,
        ConfigError,
        DatasetError,
        NotBuiltError,
        OutputError,
        PublishError,
        SetaError,
        StudentError,
    )
    from seta_dag.loaders.areal import get_seta_sft_dataset
    from seta_dag.loaders.labels import collate, with_labels
    from seta_dag.store.layout import OutputLayout

__version__ = "0.1.0"

__all__ = [
    "ChangedError",
    "ConfigError",
    "DatasetError",
    "NotBuiltError",
    "OutputError",
    "OutputLayout",
    "PublishError",
    "SetaError",
    "StudentError",
    "__version__",
    "collate",
    "get_seta_sft_dataset",
    "with_labels",
]

_HOMES = {
    "OutputLayout": "seta_dag.store.layout",
    "collate": "seta_dag.loaders.labels",
    "get_seta_sft_dataset": "seta_dag.loaders.areal",
    "with_labels": "seta_dag.loaders.labels",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "seta_dag.errors")), name)


def __dir__() -> list[str]:
    return __all__
