"""Preloaded by the fork server of `support.processes`: what every build would import and load again."""

from __future__ import annotations

from seta_dag import definitions
from seta_dag.defs.resources import Project, StudentSettings

__all__ = ["MAKER", "definitions"]

MAKER = StudentSettings().rows(Project()).maker(1)
