"""Shard bytes depend on the rows alone, and a change rewrites only the shards it affects (Rule R12)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seta_dag.dataset.checks.rows import wrong_rows, wrong_schemas
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import read_ledger, write_ledger
from seta_dag.dataset.shards import shard_file
from seta_dag.dataset.shards.known import read_shards
from seta_dag.dataset.shards.layout import plan_shards, shard_paths
from seta_dag.errors import NotBuiltError
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import unbuilt
from seta_dag.tokens.outcomes import TrialOutcome, outcome
from seta_dag.tokens.trial_row import TrialRow, VariantCounts
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, SEEN
from seta_dag_tests.support.made import MadeTrial, merged, stage_file, write_all, write_both

TASKS = [f"task {n}" for n in range(100, 200)]
MANY = [MadeTrial(task, text=f"It is {task}.") for task in TASKS]
"""One row per task, in three shards."""
OTHERS = [f"{task} {n}" for task in TASKS for n in range(30)]
SEVENTH = TASKS[7]

# Each differs for a file: other bytes, other size, no file, no regular file.
DAMAGES = {name: SEEN[name] for name in ("a flipped bit", "cut", "gone")} | {"folder": FOLDER}
damaged = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@pytest.fixture(scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "out"
    write_all(OutputLayout(root), MANY)
    return root


@pytest.fixture
def out(_built: Path, tmp_path: Path) -> OutputLayout:
    """Output directory with the shards of both variants."""
    return OutputLayout(shutil.copytree(_built, tmp_path / "out"))


def content(out: OutputLayout) -> dict[str, bytes]:
    """Return the bytes of every published file, by path relative to the output directory."""
    paths = [path for variant in VARIANTS for path in out.dataset(variant).rglob("*") if path.is_file()]
    return {path.relative_to(out.root).as_posix(): path.read_bytes() for path in [*paths, out.ledger]}


def shard_identities(out: OutputLayout) -> set[tuple[int, int]]:
    """Return inode and mtime of every shard; a rewritten shard gets new ones."""
    paths = [path for variant in VARIANTS for path in shard_paths(out.dataset(variant))]
    return {(path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def clean_build(made: list[MadeTrial]) -> dict[str, bytes]:
    """Return the content of a build into an empty directory."""
    with TemporaryDirectory() as folder:
        write_all(OutputLayout(Path(folder)), made)
        return content(OutputLayout(Path(folder)))


small = st.builds(
    MadeTrial,
    task=st.sampled_from(["a", "b", "é", "task 3", "task 11", "task 30"]),
    traj=st.integers(0, 2),
    text=st.sampled_from(["x", "y" * 50, "🚀"]),
    reason=st.sampled_from([None, None, None, "not_exact"]),
)
small_lists = st.lists(small, max_size=8, unique_by=lambda made: (made.task, made.traj))


@settings(max_examples=12)
@given(history=st.lists(small_lists, min_size=1, max_size=4), data=st.data())
def test_bytes_do_not_depend_on_build_history_or_task_order(
    history: list[list[MadeTrial]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        out = OutputLayout(Path(folder))
        for made in history:
            write_all(out, made, tasks=data.draw(st.permutations(unbuilt(out, merged(made).fingerprints))))
        assert content(out) == clean_build(history[-1])


def test_shards_contain_the_rows_of_the_ledger_in_order(out: OutputLayout) -> None:
    for variant in VARIANTS:
        shards = read_shards(out.dataset(variant))
        assert len(shards) == 3 and sum(len(shard.rows) for shard in shards) == len(MANY)
        assert wrong_rows(shards, read_ledger(out.ledger), variant) == []
        assert wrong_schemas(out.dataset(variant)) == []


def test_second_build_writes_nothing(out: OutputLayout) -> None:
    before = shard_identities(out)
    assert {shards.written for shards in write_all(out, MANY).values()} == {0}
    assert shard_identities(out) == before


CHANGES: dict[str, Callable[[], list[MadeTrial]]] = {
    "a task is added": lambda: [*MANY, MadeTrial(f"{TASKS[5]}b")],
    "a trial is added": lambda: [*MANY, MadeTrial(TASKS[5], 1)],
    "a row changes": lambda: [MadeTrial(TASKS[5], text="It is not."), *MANY[:5], *MANY[6:]],
    "a row is dropped": lambda: [MadeTrial(TASKS[5], reason="not_exact"), *MANY[:5], *MANY[6:]],
    "a task is removed": lambda: [*MANY[:5], *MANY[6:]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_rewrites_only_the_shard_it_affects(change: str, out: OutputLayout) -> None:
    before, made = shard_identities(out), CHANGES[change]()
    assert {shards.written for shards in write_all(out, made).values()} == {1}
    assert len(shard_identities(out) - before) == len(VARIANTS) == len(before - shard_identities(out))
    assert content(out) == clean_build(made)


def test_a_task_on_a_shard_boundary_splits_one_shard(out: OutputLayout) -> None:
    before, made = shard_identities(out), [*MANY, MadeTrial(next(name for name in OTHERS if splits(name)))]
    assert {len(shards.paths) for shards in write_all(out, made).values()} == {4}
    assert len(before - shard_identities(out)) <= 2 * len(VARIANTS)
    assert content(out) == clean_build(made)


def splits(task: str) -> bool:
    """Return True if adding this task gives one shard more."""
    keys = [(name, "run", "uid") for name in (*TASKS, task)]
    return len(list(plan_shards(keys, dict.fromkeys(keys, ""), "thinking"))) == 4


def test_removed_tasks_leave_no_rows_or_files(out: OutputLayout) -> None:
    made = MANY[:3]
    write_all(out, made)
    for variant in VARIANTS:
        names = [row.task_id for shard in read_shards(out.dataset(variant)) for row in shard.rows]
        assert names == sorted(one.task for one in made)
    assert len(list(out.pieces.iterdir())) == len(made)
    assert content(out) == clean_build(made)


def test_a_dataset_without_rows_is_one_empty_shard_with_all_columns(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    done = write_all(out, [MadeTrial("a", reason="no_tests")])
    assert [len(shards.paths) for shards in done.values()] == [1, 1]
    assert pq.read_metadata(done["thinking"].paths[0]).num_rows == 0
    assert wrong_schemas(out.dataset("thinking")) == []


@damaged
def test_a_damaged_shard_is_rewritten(damage: Callable[[Path], object], out: OutputLayout) -> None:
    expected = content(out)
    damage(shard_paths(out.dataset("thinking"))[1])
    assert [shards.written for shards in write_both(out, MANY).values()] == [1, 0]
    assert content(out) == expected


@damaged
def test_a_damaged_memo_does_not_change_the_output(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    expected, memo = content(out), out.memo("thinking.shards")
    damage(memo)
    if memo.is_dir():
        memo.rmdir()
    write_both(out, MANY)
    assert content(out) == expected


def test_after_forget_all_shards_are_rewritten(out: OutputLayout) -> None:
    before, expected = shard_identities(out), content(out)
    FLIPPED_UNSEEN(shard_paths(out.dataset("thinking"))[1])
    assert {shards.written for shards in write_both(out, MANY).values()} == {0}
    out.forget()
    write_both(out, MANY)
    assert not before & shard_identities(out) and content(out) == expected


def _flip_stage_files(out: OutputLayout, tasks: Iterable[str]) -> None:
    """Flip a bit in the tasks' token files; size and time stay the same."""
    for task in tasks:
        FLIPPED_UNSEEN(stage_file(out, MANY, task))


def test_hidden_damage_stops_the_shards_and_a_rebuild_repairs_it(out: OutputLayout) -> None:
    expected = content(out)
    _flip_stage_files(out, TASKS[7:9])
    for variant in VARIANTS:
        out.memo(f"{variant}.shards").unlink()
    with pytest.raises(NotBuiltError, match=rf"{SEVENTH}, and 1 more is missing or damaged; .*build"):
        write_both(out, MANY)
    assert content(out) == expected
    assert unbuilt(out, merged(MANY).fingerprints) == sorted(TASKS[7:9])
    write_all(out, MANY)
    assert content(out) == expected


def test_hidden_damage_is_ignored_while_the_shard_needs_no_rewrite(out: OutputLayout) -> None:
    _flip_stage_files(out, TASKS[7:8])
    expected = content(out)
    write_both(out, MANY)
    assert content(out) == expected


@damaged
def test_a_ledger_row_without_its_stage_file_is_an_error(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    expected = content(out)
    damage(stage_file(out, MANY, SEVENTH))
    with pytest.raises(NotBuiltError, match=f"{SEVENTH} is missing or damaged; "):
        write_both(out, MANY)
    assert content(out) == expected


@pytest.mark.parametrize("damage", [SEEN["a flipped bit"], SEEN["gone"]], ids=["a flipped bit", "gone"])
def test_a_damaged_task_has_no_rows_until_it_is_rebuilt(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    expected, merge = content(out), merged(MANY)
    out.forget()
    damage(stage_file(out, MANY, SEVENTH))
    write_ledger(out.ledger, account(out, merge, Filters()), Filters())
    assert [line.task_id for line in read_ledger(out.ledger) if line.reason == "not_built"] == [SEVENTH]
    write_both(out, MANY)
    for variant in VARIANTS:
        assert wrong_rows(read_shards(out.dataset(variant)), read_ledger(out.ledger), variant) == []
    write_all(out, MANY)
    assert content(out) == expected


OBSTACLES: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("old"),
    "a link to a directory": lambda path: path.symlink_to(path.parent / "elsewhere"),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a foreign dataset": lambda path: (path / "data" / "x").mkdir(parents=True),
    "a file in place of data/": lambda path: (path.mkdir(), (path / "data").write_text("")),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_anything_in_place_of_the_dataset_is_replaced(obstacle: str, tmp_path: Path) -> None:
    out = OutputLayout(tmp_path / "out")
    (out.root / "elsewhere").mkdir(parents=True)
    OBSTACLES[obstacle](out.dataset("thinking"))
    write_all(out, MANY[:3])
    assert content(out) == clean_build(MANY[:3])
    assert not list((out.root / "elsewhere").iterdir())


def groups_of(out: OutputLayout) -> list[list[int]]:
    """Return the token counts of the rows, per row group of the thinking shards."""
    files = [pq.ParquetFile(path) for path in shard_paths(out.dataset("thinking"))]
    groups = [
        file.read_row_group(n, ["local_token_count"]) for file in files for n in range(file.num_row_groups)
    ]
    return [group["local_token_count"].to_pylist() for group in groups]


LENGTHS = [5, 5, 80, 5, 40, 40, 41, 200, 1, 1, 1, 1]
"""Letters in the text of each row. A fixed prefix adds the same number of tokens to every row."""


@pytest.mark.parametrize(
    ("tokens", "rows", "expected"),
    [
        (4_000_000, 128, [LENGTHS]),
        (100, 128, [[5, 5], [80], [5, 40], [40], [41], [200], [1, 1, 1, 1]]),
        (111, 128, [[5, 5], [80], [5, 40], [40, 41], [200], [1, 1, 1, 1]]),
        (1, 128, [[length] for length in LENGTHS]),
        (4_000_000, 5, [LENGTHS[:5], LENGTHS[5:10], LENGTHS[10:]]),
        (4_000_000, 12, [LENGTHS]),
        (100, 3, [[5, 5], [80], [5, 40], [40], [41], [200], [1, 1, 1], [1]]),
    ],
)
def test_a_row_group_ends_at_the_token_or_row_limit(
    tokens: int, rows: int, expected: list[list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [MadeTrial("a", n, text="x" * length) for n, length in enumerate(LENGTHS)]
    made = [replace(one, traj=10 + one.traj) for one in made]  # two digits, so that uids sort like numbers
    write_all(OutputLayout(tmp_path / "one_group"), made)
    monkeypatch.setattr(shard_file, "_MAX_GROUP_TOKENS", tokens)
    monkeypatch.setattr(shard_file, "_MAX_GROUP_ROWS", rows)
    out = OutputLayout(tmp_path / "out")
    write_all(out, made)
    prefix = len(made[0].text_of("thinking")) - LENGTHS[0]
    assert groups_of(out) == [[length + prefix for length in group] for group in expected]
    for variant in VARIANTS:
        limited, default = (
            shard_paths(one.dataset(variant)) for one in (out, OutputLayout(tmp_path / "one_group"))
        )
        assert [pq.read_table(path) for path in limited] == [pq.read_table(path) for path in default]
        shards = read_shards(out.dataset(variant))
        assert wrong_rows(shards, read_ledger(out.ledger), variant) == []


def _outcome(at: int, length: int) -> TrialOutcome:
    """The outcome of a row with this many tokens in the thinking variant."""
    row = TrialRow(MANY[0].trial, MANY[0].report, first_batch=at)
    row.counts["thinking"] = VariantCounts(length, 1, False, "")
    return outcome(row)


@given(lengths=st.lists(st.integers(1, 60), max_size=30), tokens=st.integers(1, 100), rows=st.integers(1, 6))
def test_each_row_group_holds_as_many_rows_as_fit_in_order(
    lengths: list[int], tokens: int, rows: int
) -> None:
    lines = [_outcome(at, length) for at, length in enumerate(lengths)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_file, "_MAX_GROUP_TOKENS", tokens)
        patch.setattr(shard_file, "_MAX_GROUP_ROWS", rows)
        groups = [list(group) for group in shard_file._row_groups(lines, "thinking")]
    assert [line for group in groups for line in group] == lines
    sizes = [[line.of("thinking").local_token_count for line in group] for group in groups]
    for group, after in zip(sizes, [*sizes[1:], None], strict=False):
        assert 1 <= len(group) <= rows and (len(group) == 1 or sum(group) <= tokens)
        assert after is None or len(group) == rows or sum(group) + after[0] > tokens
