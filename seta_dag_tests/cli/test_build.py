"""`seta-dag build`: its summary, its exit code, and how it repairs an output directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.store.atomic import remove
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import STAGES
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import Place, take, trial
from seta_dag_tests.support.command_line import TASKS, build, only_shard, run, summary
from seta_dag_tests.support.damage import SEEN
from seta_dag_tests.support.made import drop_line, file_of

KEYS = {
    "out", "tasks", "tasks_rebuilt", "trials", "rows", "superseded", "dropped", "flags", "flagged",
    "worrying", "tokens", "trainable_tokens", "seconds",
}  # fmt: skip


def test_json_summary_is_one_line_with_every_count(place: Place) -> None:
    done = build(place)
    printed, lines = summary(done), place.ledger()
    rows = [line for line in lines if line.disposition == "row"]
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 1
    assert printed.keys() == KEYS and printed["seconds"] > 0
    del printed["seconds"]
    assert printed == {
        "out": str(place.out.root), "tasks": 3, "tasks_rebuilt": 0, "trials": 3, "superseded": 0,
        "rows": dict.fromkeys(VARIANTS, 2), "dropped": {"ctrf_invalid": 1},
        "flags": {}, "flagged": 0, "worrying": 0,
        "tokens": {v: sum(row.tokens(v) for row in rows) for v in VARIANTS},
        "trainable_tokens": {v: sum(row.trainable_tokens(v) for row in rows) for v in VARIANTS},
    }  # fmt: skip


def test_summary_as_text_shows_the_same_counts(place: Place) -> None:
    done = run("build", "--rollouts", place.rollouts, "--out", place.out.root)
    assert done.stdout.startswith("0 of 3 tasks rebuilt in ")
    assert "  dropped                1   ctrf_invalid 1\n" in done.stdout
    assert str(place.out.dataset("nothink")) in done.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_build_says_which_flags_rows_have_and_warns(options: tuple[str, ...], tmp_path: Path) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", "a_t0")
    log = max(trial(place.rollouts, "a_t0").rglob("conv_*.json"))
    log.write_text(log.read_text().replace('"finish_reason": "stop"', '"finish_reason": "length"'))
    done = run("build", "--rollouts", place.rollouts, "--out", place.out.root, *options)
    assert done.exit_code == 0, done.output
    if options:
        assert summary(done)["flags"] == {"cut_short": 1}
    else:
        assert "    with flags           1   cut_short 1\n" in done.stdout
    assert "seta-dag: 1 of 1 rows (100.0%)" in done.stderr and "ledger --flag cut_short" in done.stderr


def test_build_without_rows_exits_with_1(tmp_path: Path) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", "ctrf_empty_file_t0")
    done = build(place)
    assert done.exit_code == 1 and summary(done)["rows"] == dict.fromkeys(VARIANTS, 0)


@pytest.mark.parametrize("damage", ["a flipped bit", "cut"])
def test_next_build_repairs_damaged_stages(damage: str, place: Place) -> None:
    visible = place.visible()
    SEEN[damage](place.out.table("ctrf"))
    SEEN[damage](file_of(place.out, TASKS[2]))
    done = build(place)
    assert done.exit_code == 0 and summary(done)["tasks_rebuilt"] == 3
    assert place.visible() == visible


def test_build_of_one_task_leaves_other_damaged_tasks_to_the_next_build(place: Place) -> None:
    visible = place.visible()
    drop_line(place.out, OUTCOMES, TASKS[0])
    done = build(place, "--task", "a")
    assert done.exit_code == 0 and summary(done)["dropped"] == {"not_built": 1, "ctrf_invalid": 1}
    assert summary(build(place))["tasks_rebuilt"] == 1
    assert place.visible() == visible


MEMOS = ("thinking.shards", "thinking.facts", "nothink.finished")


DAMAGED: dict[str, Callable[[OutputLayout], list[Path]]] = {
    "published files": lambda out: [
        out.ledger, only_shard(out), out.dataset("nothink") / "README.md"
    ],
    "internal files": lambda out: [
        out.resume_chain,
        *(out.table(stage.stage) for stage in STAGES),
        *(out.memo(name) for name in MEMOS),
    ],
}  # fmt: skip


@pytest.mark.parametrize("files", DAMAGED)
def test_next_build_repairs_damaged_files(files: str, place: Place) -> None:
    visible = place.visible()
    for path in DAMAGED[files](place.out):
        SEEN["a list"](path)
    done = build(place)
    assert done.exit_code == 0, done.output
    assert place.visible() == visible


def test_build_replaces_whatever_is_where_a_dataset_belongs(place: Place) -> None:
    visible, moved = place.visible(), place.folder / "moved"
    place.out.dataset("thinking").rename(moved)
    place.out.dataset("thinking").symlink_to(moved)
    remove(place.out.dataset("nothink"))
    place.out.dataset("nothink").write_text("")
    (moved / "data" / "train-00000-of-00001.parquet").write_text("")
    done = build(place)
    assert done.exit_code == 0, done.output
    assert place.visible() == visible


OBSTACLES: dict[str, tuple[str, bool, int]] = {
    "the stages are a file": ("stages", False, 1),
    "the ledger is a directory": ("ledger.parquet", True, 1),
    "a table is a directory": ("stages/ctrf.parquet", True, 1),
    "the lock is a directory": (".lock", True, 2),
}
"""(path below OUT, whether the obstacle is a directory or a file, exit code)"""


@pytest.mark.parametrize("case", OBSTACLES)
def test_obstacle_in_the_output_directory_is_named(case: str, place: Place) -> None:
    name, is_directory, code = OBSTACLES[case]
    path = place.out.root / name
    path.rename(place.folder / "moved")
    path.mkdir() if is_directory else path.write_text("")
    done = build(place)
    assert done.exit_code == code and f"{path}: cannot be written (" in done.stderr
