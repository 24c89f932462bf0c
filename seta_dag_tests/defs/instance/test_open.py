"""Which instance is opened: that of DAGSTER_HOME, of the working directory, or of the output directory."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from seta_dag.defs.instance.batched_event_log import BatchedEventLog
from seta_dag.defs.instance.home import instance_home
from seta_dag.defs.instance.open import open_instance
from seta_dag.errors import ConfigError, InstanceError
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.builds import REPOSITORY

SETTINGS = "telemetry: {enabled: false}\n"


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OutputLayout:
    """An output directory; the working directory is empty, and DAGSTER_HOME is not set."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return OutputLayout(Path("out"))


def record_a_run(out: OutputLayout) -> None:
    """Create a run in the instance, and find it after opening the instance again."""
    with open_instance(out) as instance:
        run_id = instance.create_run_for_job(_job()).run_id
    with open_instance(out) as again:
        assert [run.run_id for run in again.get_runs()] == [run_id]


def test_dagster_yaml_in_the_working_directory_is_used(out: OutputLayout, home: Path) -> None:
    Path("dagster.yaml").write_text(
        f"run_storage: {{module: dagster._core.storage.runs, class: SqliteRunStorage,"
        f" config: {{base_dir: {home / 'history'}}}}}\n{SETTINGS}"
    )
    record_a_run(out)
    assert not out.instance.exists()


@pytest.mark.parametrize("by", ["environment", ".env"])
def test_dagster_home_is_used(
    by: str, out: OutputLayout, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "dagster.yaml").write_text(SETTINGS)
    if by == "environment":
        monkeypatch.setenv("DAGSTER_HOME", str(home))
    else:
        Path(".env").write_text(f"DAGSTER_HOME={home}\n")
    record_a_run(out)
    assert not out.instance.exists()


def test_otherwise_the_record_is_in_the_output_directory(out: OutputLayout) -> None:
    record_a_run(out)
    with open_instance(out) as instance:
        assert Path(instance.root_directory) == out.instance.absolute()
        assert isinstance(instance.event_log_storage, BatchedEventLog)
        assert not instance.telemetry_enabled
    assert {path.name for path in Path().iterdir()} == {"out"}


def test_settings_that_somebody_has_changed_stay(out: OutputLayout) -> None:
    settings = instance_home(out) / "dagster.yaml"
    settings.write_text(SETTINGS)
    with open_instance(out) as instance:
        assert not isinstance(instance.event_log_storage, BatchedEventLog)
    assert settings.read_text() == SETTINGS


def test_without_a_record_nothing_is_written(out: OutputLayout) -> None:
    with open_instance(out, keep=False) as instance:
        instance.create_run_for_job(_job())
    assert not list(Path().iterdir())


HOMES = {"relative/path": "it is a relative path", "{tmp}/none": "there is no such folder",
         "{tmp}/file": "it is not a folder"}  # fmt: skip


@pytest.mark.parametrize("name", HOMES)
def test_an_impossible_dagster_home_is_bad_configuration(
    name: str, out: OutputLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DAGSTER_HOME", name.format(tmp=tmp_path))
    with pytest.raises(ConfigError, match=f"^DAGSTER_HOME .*: {HOMES[name]}; set it"), open_instance(out):
        pass


@pytest.mark.parametrize("settings", ["a: [", "[1]", "unknown: 1", "telemetry: 3", "\x00"])
def test_settings_that_cannot_be_read_are_one_sentence(settings: str, out: OutputLayout) -> None:
    Path("dagster.yaml").write_text(settings)
    sentence = r"dagster\.yaml: not settings that Dagster can use; .*--no-instance"
    with pytest.raises(InstanceError, match=sentence), open_instance(out):
        pass


def test_the_repository_has_the_settings_of_the_package() -> None:
    packaged = yaml.safe_load((REPOSITORY / "seta_dag/defs/instance/settings.yaml").read_text())
    ours = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    assert {name: ours[name] for name in packaged if name != "event_log_storage"} == {
        name: value for name, value in packaged.items() if name != "event_log_storage"
    }
    assert (
        ours["event_log_storage"].pop("config") and ours["event_log_storage"] == packaged["event_log_storage"]
    )
    place = "seta_dag/defs/instance/workspace.yaml"
    assert (REPOSITORY / place).read_text() == (REPOSITORY / "workspace.yaml").read_text()


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None:
        """Do nothing."""

    @dg.job
    def empty() -> None:
        nothing()

    return empty
