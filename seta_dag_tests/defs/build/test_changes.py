"""After any change to the rollouts, an incremental build equals a build from scratch.

Only the tasks affected by the change are rebuilt.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.definitions import code_location
from seta_dag.defs.build.build import build, planned
from seta_dag.defs.partitions import registered
from seta_dag.tokens.student.student import Student
from seta_dag_tests.support import template
from seta_dag_tests.support.builds import RUNS, SAMPLE, Place, built_plainly, take, tokenized, trial

# The built place has FIRST and SECOND; BEFORE and THIRD are added at either end of the chain.
BEFORE, FIRST, SECOND, THIRD = (
    Path("exp") / name for name in ("kimi", "kimi_resume", "kimi_resume_2", "kimi_resume_3")
)
ALL = {"a", "multi_traj_task", "resume_twice_0", "stack_overflow__100", "verifier_timeout"}


def complete_log(root: Path) -> None:
    """Complete the truncated log."""
    complete = max(trial(SAMPLE, "stack_overflow__100").rglob("conv_*.json"))
    max(trial(root, "stack_overflow__100").rglob("conv_*.json")).write_bytes(complete.read_bytes())


def add_report(root: Path) -> None:
    """Add the report of a trial that had none."""
    report = RUNS[2] / "trials/resume_twice_0_t0_20e13f/verifier/ctrf.json"
    late = trial(root, "resume_twice_0") / "verifier/ctrf.json"
    late.parent.mkdir(exist_ok=True)  # git does not store empty folders
    shutil.copy2(report, late)


def change_verdict(root: Path) -> None:
    """Change a verdict in a report without changing the file's size or mtime."""
    path = trial(root, "a_t0") / "verifier/ctrf.json"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_text(path.read_text().replace('"status": "passed"', '"status": "failed"', 1))
    os.utime(path, ns=times)


def add_earlier_run(root: Path) -> None:
    """Add an earlier run with the only verified trial of one task and a superseded trial of another."""
    take(root / BEFORE, "resume_twice_0", source=RUNS[2])
    take(root / BEFORE, "verifier_timeout")


def add_later_run(root: Path) -> None:
    """Add a later run with the first verified trial of an unverified task, and a new task."""
    take(root / THIRD, "resume_twice_0", "dup_later_worse", source=RUNS[2])


def add_first_trial(root: Path) -> None:
    """Add a first trial for the task whose rollout failed."""
    shutil.copytree(trial(root, "a_t0"), root / SECOND / "trials/never_built_t0_abcdef")


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "no change": (lambda root: None, set()),
    "task added": (lambda root: take(root / FIRST, "tâche"), {"tâche_日本語"}),
    "task run again in a later resume": (
        lambda root: take(root / SECOND, "resume_twice_0", source=RUNS[2]),
        {"resume_twice_0"},
    ),
    "trajectories added": (
        lambda root: take(root / SECOND, "multi_traj_task_t2", "multi_traj_task_t3"),
        {"multi_traj_task"},
    ),
    "report added": (add_report, {"resume_twice_0"}),
    "report changed at the same size and mtime": (change_verdict, {"a"}),
    "log completed": (complete_log, {"stack_overflow__100"}),
    "earlier run added": (add_earlier_run, {"resume_twice_0", "verifier_timeout"}),
    "later run added": (add_later_run, {"resume_twice_0", "dup_later_worse"}),
    "failed rollout gets a trial": (add_first_trial, {"never_built"}),
    "trial removed": (lambda root: shutil.rmtree(trial(root, "multi_traj_task_t1")), {"multi_traj_task"}),
    "task removed": (lambda root: shutil.rmtree(trial(root, "a_t0")), set()),
    "run removed": (lambda root: shutil.rmtree(root / SECOND), set()),
    "folder added that is not a trial": (lambda root: (root / FIRST / "trials/notes").mkdir(), set()),
    "failed rollout added": (
        lambda root: (root / FIRST / "failed/other.txt").write_text("OSError: no"),
        set(),
    ),
    "run settings changed": (
        lambda root: (root / FIRST / "config.yaml").write_text("n_trajs: 4"),
        set(),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_incremental_build_equals_one_from_scratch_and_rebuilds_only_changed_tasks(
    name: str, place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    change, tasks = CHANGES[name]
    change(place.rollouts)
    with tokenized() as rebuilt:
        outcome = place.build(instance)
    assert not outcome.failures
    assert rebuilt == tasks
    assert (outcome.rebuilt, outcome.tasks) == (len(tasks), len(place.tasks()))
    scratch = built_plainly(place, tmp_path / "scratch")
    assert place.visible() == scratch.visible()
    assert set(place.stage_files()) == set(scratch.stage_files())
    assert sorted(registered(instance)) == place.tasks()


def test_changing_filters_and_back_rebuilds_no_task(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    filters = Filters(min_reward=0.7, max_tokens=550)
    stages, visible = place.stage_files(), place.visible()
    assert place.build(instance, filters=filters).rebuilt == 0
    assert {line.reason for line in place.ledger()} >= {None, "below_min_reward", "too_many_tokens"}
    assert place.visible() == built_plainly(place, tmp_path / "scratch", filters=filters).visible()
    assert place.build(instance).rebuilt == 0
    assert place.visible() == visible
    assert place.stage_files() == stages


def with_first_template(folder: Path, student: Student) -> str:
    """Create a copy of the student with the first revision of its chat template."""
    folder.mkdir()
    (folder / "tokenizer.json").symlink_to(student.tokenizer_path)
    config = {"chat_template": template.official("first")}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return str(folder)


def test_another_student_rebuilds_every_task(
    place: Place, instance: dg.DagsterInstance, student: Student, tmp_path: Path
) -> None:
    folder = with_first_template(tmp_path / "student", student)
    with tokenized() as rebuilt:
        assert place.build(instance, student=folder).rebuilt == len(ALL)
    assert rebuilt == ALL
    assert place.visible() == built_plainly(place, tmp_path / "scratch", student=folder).visible()


def test_new_format_version_rebuilds_every_task(
    place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, visible = place.stage_files(), place.visible()
    monkeypatch.setattr("seta_dag.rollouts.fingerprint.FORMAT_VERSION", "another")
    assert place.build(instance).rebuilt == len(ALL)
    assert not before.keys() & place.stage_files().keys()
    assert place.visible() == visible


@pytest.mark.parametrize(
    ("fields", "tasks"), [({"full": True}, ALL), ({"task": "a"}, {"a"})], ids=["full", "task"]
)
def test_requested_tasks_are_rebuilt_even_if_unchanged(
    fields: dict[str, Any], tasks: set[str], place: Place, instance: dg.DagsterInstance
) -> None:
    visible = place.visible()
    with tokenized() as rebuilt:
        assert place.build(instance, **fields).rebuilt == len(tasks)
    assert rebuilt == tasks
    assert place.visible() == visible


def test_tasks_added_during_a_build_are_reported_and_built_next_time(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    request = place.request()
    take(place.rollouts / FIRST, "stack_overflow__101")
    with planned(request, lambda: None) as plan:
        take(place.rollouts / FIRST, "stack_overflow__102")
        outcome = build(code_location(), instance, request, plan)
    (failure,) = outcome.failures
    assert failure.startswith("ledger: check every_trial_is_accounted_for failed: ")
    assert failure.endswith("on disk; if that changed during the build, build again")
    assert not place.build(instance).failures
    assert place.visible() == built_plainly(place, tmp_path / "scratch").visible()


def test_tasks_missing_from_the_ledger_appear_after_the_next_build(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    shutil.rmtree(place.out.stages)
    request = place.request(task="a")
    with planned(request, lambda: None) as plan:
        assert not build(code_location(), instance, request, plan).failures
    built = built_plainly(place, tmp_path / "scratch")
    shutil.copytree(built.out.stages, place.out.stages, dirs_exist_ok=True)
    assert not place.build(instance).failures
    assert place.visible() == built.visible()


def test_run_names_may_contain_spaces_and_newlines(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    place = Place(tmp_path)
    for name in ("run  two", "new\nline"):
        take(place.rollouts / name, "a_t0")
    assert not place.build(instance).failures
