"""What users import, and how the package is laid out."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest

import seta_dag
from seta_dag_tests.support.builds import REPOSITORY

PACKAGE = REPOSITORY / "seta_dag"
ALIASES = {
    "seta_dag.hub.loaders": "seta_dag.loaders.areal",
    "seta_dag.hub.batches": "seta_dag.loaders.labels",
    "seta_dag.defs.event_log": "seta_dag.defs.instance.event_log",
}
HEAVY = {"pyarrow", "numpy", "dagster", "datasets"}


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_has_the_same_objects(alias: str) -> None:
    old, new = importlib.import_module(alias), importlib.import_module(ALIASES[alias])
    assert old.__all__ and all(getattr(old, name) is getattr(new, name) for name in old.__all__)


def test_every_public_name_resolves() -> None:
    assert dir(seta_dag) == sorted(seta_dag.__all__)
    assert all(getattr(seta_dag, name) is not None for name in seta_dag.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = seta_dag.nonsense


def test_import_is_light() -> None:
    code = f"import sys, seta_dag; sys.exit(bool({HEAVY!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert names & sys.stdlib_module_names == set()


def test_private_names_of_dagster_are_used_in_one_folder_only() -> None:
    users = [path for path in PACKAGE.rglob("*.py") if "dagster._" in path.read_text("utf-8")]
    assert users and {path.parent for path in users} == {PACKAGE / "defs" / "instance"}


def test_every_folder_says_what_is_inside() -> None:
    for init in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text("utf-8"))), init
