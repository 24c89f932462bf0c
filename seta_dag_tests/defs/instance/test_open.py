"""Which instance is opened: that of the working directory or of DAGSTER_HOME."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from seta_dag.defs.instance.open import open_instance

CLI_FUNCTION = "dagster._cli.utils.get_possibly_temporary_instance_for_cli"
SETTINGS = "telemetry: {enabled: false}\n"


@pytest.fixture
def no_dagster_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory, without DAGSTER_HOME in the environment."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return folder


def test_dagster_yaml_in_the_working_directory_is_used(no_dagster_home: Path, home: Path) -> None:
    runs = home / "history"
    (no_dagster_home / "dagster.yaml").write_text(
        f"run_storage: {{module: dagster._core.storage.runs, class: SqliteRunStorage,"
        f" config: {{base_dir: {runs}}}}}\n{SETTINGS}"
    )
    with open_instance() as instance:
        run_id = instance.create_run_for_job(_job()).run_id
    with open_instance() as again:
        assert [run.run_id for run in again.get_runs()] == [run_id]


def test_dagster_home_is_used_without_dagsters_private_function(
    no_dagster_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "dagster.yaml").write_text(SETTINGS)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.delattr(CLI_FUNCTION)
    with open_instance() as instance:
        assert Path(instance.root_directory) == home
        run_id = instance.create_run_for_job(_job()).run_id
    with open_instance() as again:
        assert [run.run_id for run in again.get_runs()] == [run_id]


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None:
        """Do nothing."""

    @dg.job
    def empty() -> None:
        nothing()

    return empty
