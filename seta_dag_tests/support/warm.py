"""Imported once by the server that `processes` forks its builds from: what each of them would load anew."""

from __future__ import annotations

from seta_dag import definitions
from seta_dag.defs.resources import Project, StudentSettings

__all__ = ["MAKER", "definitions"]

MAKER = StudentSettings().load(Project())
