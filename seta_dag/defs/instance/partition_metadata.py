"""Add metadata to all partitions of a run at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg


def add_metadata(context: dg.AssetExecutionContext, by_key: Mapping[str, Mapping[str, Any]]) -> None:
    """Add metadata to the partitions of a run.

    Dagster's own way asks the instance for all partitions and copies what was added so far, each time, which
    takes minutes for thousands of tasks. So all is added at once; if Dagster has changed, in its own way.
    """
    try:
        from dagster._core.execution.context.metadata_logging import (
            AssetMetadataHandle,
            OutputMetadataAccumulator,
        )

        step = context._step_execution_context
        known = step._metadata_accumulator.per_output_metadata
        added: dict[Any, Any] = {
            AssetMetadataHandle(asset_key=context.asset_key, partition_key=key): metadata
            for key, metadata in by_key.items()
        }
        step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata={**known, **added})
    except (ImportError, AttributeError, TypeError):
        for key, metadata in by_key.items():
            context.add_asset_metadata(metadata, partition_key=key)
