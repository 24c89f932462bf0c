"""Alias of `seta_dag.defs.instance.event_log`: people's dagster.yaml files name this module."""

from seta_dag.defs.instance.event_log import BatchedSqliteEventLog

__all__ = ["BatchedSqliteEventLog"]
