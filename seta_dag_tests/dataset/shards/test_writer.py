"""R12: the shards' bytes are decided by the rows alone, and a change touches what it must and no more."""

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
from seta_dag.dataset.shards import source
from seta_dag.dataset.shards.layout import plan_shards, shard_paths
from seta_dag.dataset.shards.reader import read_shards
from seta_dag.errors import NotBuiltError
from seta_dag.executor.stage import unbuilt
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, SEEN
from seta_dag_tests.support.made import MadeTrial, merged, stage_file, write_all, write_both

TASKS = [f"task {n}" for n in range(100, 200)]
MANY = [MadeTrial(task, text=f"It is {task}.") for task in TASKS]
"""A row each, in three shards."""
OTHERS = [f"{task} {n}" for task in TASKS for n in range(30)]
SEVENTH = TASKS[7]


@pytest.fixture(scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "out"
    write_all(OutputLayout(root), MANY)
    return root


@pytest.fixture
def out(_built: Path, tmp_path: Path) -> OutputLayout:
    """The shards of both variants."""
    return OutputLayout(shutil.copytree(_built, tmp_path / "out"))


def content(out: OutputLayout) -> dict[str, bytes]:
    """Every file that a reader sees, byte for byte."""
    paths = [path for variant in VARIANTS for path in out.dataset(variant).rglob("*") if path.is_file()]
    return {path.relative_to(out.root).as_posix(): path.read_bytes() for path in [*paths, out.ledger]}


def files(out: OutputLayout) -> set[tuple[int, int]]:
    """Which files on disk the shards are, and since when."""
    paths = [path for variant in VARIANTS for path in shard_paths(out.dataset(variant))]
    return {(path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def plainly(made: list[MadeTrial]) -> dict[str, bytes]:
    """What a build from nothing gives."""
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
def test_any_history_and_order_of_building_gives_the_same_bytes(
    history: list[list[MadeTrial]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        out = OutputLayout(Path(folder))
        for made in history:
            write_all(out, made, tasks=data.draw(st.permutations(unbuilt(out, merged(made).fingerprints))))
        assert content(out) == plainly(history[-1])


def test_shards_hold_the_ledgers_rows_in_order(out: OutputLayout) -> None:
    for variant in VARIANTS:
        shards = read_shards(out.dataset(variant))
        assert len(shards) == 3 and sum(len(shard.rows) for shard in shards) == len(MANY)
        assert wrong_rows(shards, read_ledger(out.ledger), variant) == []
        assert wrong_schemas(out.dataset(variant)) == []


def test_nothing_new_writes_nothing(out: OutputLayout) -> None:
    before = files(out)
    assert {shards.written for shards in write_all(out, MANY).values()} == {0}
    assert files(out) == before


CHANGES: dict[str, Callable[[], list[MadeTrial]]] = {
    "a task comes": lambda: [*MANY, MadeTrial(f"{TASKS[5]}b")],
    "a trial comes": lambda: [*MANY, MadeTrial(TASKS[5], 1)],
    "a row changes": lambda: [MadeTrial(TASKS[5], text="It is not."), *MANY[:5], *MANY[6:]],
    "a row becomes none": lambda: [MadeTrial(TASKS[5], reason="not_exact"), *MANY[:5], *MANY[6:]],
    "a task leaves": lambda: [*MANY[:5], *MANY[6:]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_writes_the_shard_that_it_touches_and_no_other(change: str, out: OutputLayout) -> None:
    before, made = files(out), CHANGES[change]()
    assert {shards.written for shards in write_all(out, made).values()} == {1}
    assert len(files(out) - before) == len(VARIANTS) == len(before - files(out))
    assert content(out) == plainly(made)


def test_a_task_that_ends_a_shard_splits_one(out: OutputLayout) -> None:
    before, made = files(out), [*MANY, MadeTrial(next(name for name in OTHERS if splits(name)))]
    assert {len(shards.paths) for shards in write_all(out, made).values()} == {4}
    assert len(before - files(out)) <= 2 * len(VARIANTS)
    assert content(out) == plainly(made)


def splits(task: str) -> bool:
    """Whether a shard more is cut with this task among the others."""
    keys = [(name, "run", "uid") for name in (*TASKS, task)]
    lines = [dict(zip(("task_id", "run", "trial_uid"), key, strict=True)) for key in keys]
    return len(list(plan_shards(lines, dict.fromkeys(keys, ""), "thinking"))) == 4


def test_tasks_that_leave_leave_no_row(out: OutputLayout) -> None:
    made = MANY[:3]
    write_all(out, made)
    for variant in VARIANTS:
        names = [row["task_id"] for shard in read_shards(out.dataset(variant)) for row in shard.rows]
        assert names == sorted(one.task for one in made)
    assert len(out.built("tokens")) == len(made)
    assert content(out) == plainly(made)


def test_without_a_row_there_is_one_shard_with_its_columns(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    done = write_all(out, [MadeTrial("a", reason="no_tests")])
    assert [len(shards.paths) for shards in done.values()] == [1, 1]
    assert pq.read_metadata(done["thinking"].paths[0]).num_rows == 0
    assert wrong_schemas(out.dataset("thinking")) == []


@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
def test_a_damaged_shard_is_written_again(damage: Callable[[Path], object], out: OutputLayout) -> None:
    expected = content(out)
    damage(shard_paths(out.dataset("thinking"))[1])
    assert [shards.written for shards in write_both(out, MANY).values()] == [1, 0]
    assert content(out) == expected


@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
def test_a_damaged_memo_changes_nothing_that_is_seen(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    expected, memo = content(out), out.memo("thinking.shards")
    damage(memo)
    if memo.is_dir():
        memo.rmdir()
    write_both(out, MANY)
    assert content(out) == expected


def test_what_is_forgotten_is_written_anew(out: OutputLayout) -> None:
    before, expected = files(out), content(out)
    FLIPPED_UNSEEN(shard_paths(out.dataset("thinking"))[1])
    assert {shards.written for shards in write_both(out, MANY).values()} == {0}
    out.forget()
    write_both(out, MANY)
    assert not before & files(out) and content(out) == expected


def _edited(out: OutputLayout, tasks: Iterable[str]) -> None:
    for task in tasks:
        FLIPPED_UNSEEN(stage_file(out, MANY, task))


def test_damage_that_nobody_saw_stops_at_the_shards_and_heals(out: OutputLayout) -> None:
    expected = content(out)
    _edited(out, TASKS[7:9])
    for variant in VARIANTS:
        out.memo(f"{variant}.shards").unlink()
    with pytest.raises(NotBuiltError, match=rf"{SEVENTH} is missing or damaged, and 1 more; .*build"):
        write_both(out, MANY)
    assert content(out) == expected
    assert unbuilt(out, merged(MANY).fingerprints) == sorted(TASKS[7:9])
    write_all(out, MANY)
    assert content(out) == expected


def test_damage_to_a_task_whose_shard_is_not_touched_costs_nothing(out: OutputLayout) -> None:
    _edited(out, TASKS[7:8])
    expected = content(out)
    write_both(out, MANY)
    assert content(out) == expected


@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
def test_a_row_of_the_ledger_without_its_stage_file_is_refused(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    expected = content(out)
    damage(stage_file(out, MANY, SEVENTH))
    with pytest.raises(NotBuiltError, match=f"{SEVENTH} is missing or damaged; "):
        write_both(out, MANY)
    assert content(out) == expected


@pytest.mark.parametrize("damage", SEEN.values(), ids=SEEN)
def test_a_damaged_task_is_in_neither_ledger_nor_shards_until_it_is_built(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    expected, merge = content(out), merged(MANY)
    out.forget()
    damage(stage_file(out, MANY, SEVENTH))
    write_ledger(out.ledger, account(out, merge, Filters()), Filters())
    assert [line["task_id"] for line in read_ledger(out.ledger) if line["reason"] == "not_built"] == [SEVENTH]
    write_both(out, MANY)
    for variant in VARIANTS:
        assert wrong_rows(read_shards(out.dataset(variant)), read_ledger(out.ledger), variant) == []
    write_all(out, MANY)
    assert content(out) == expected


IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("old"),
    "a link to a directory": lambda path: path.symlink_to(path.parent / "elsewhere"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a dataset of another's": lambda path: (path / "data" / "x").mkdir(parents=True),
    "a file for its data": lambda path: (path.mkdir(), (path / "data").write_text("")),
}


@pytest.mark.parametrize("stood", IN_THE_WAY)
def test_whatever_stands_in_the_datasets_place_gives_way(stood: str, tmp_path: Path) -> None:
    out = OutputLayout(tmp_path / "out")
    (out.root / "elsewhere").mkdir(parents=True)
    IN_THE_WAY[stood](out.dataset("thinking"))
    write_all(out, MANY[:3])
    assert content(out) == plainly(MANY[:3])
    assert not list((out.root / "elsewhere").iterdir())


def groups_of(out: OutputLayout) -> list[list[int]]:
    """The tokens of the rows of each row group of the thinking shards."""
    files = [pq.ParquetFile(path) for path in shard_paths(out.dataset("thinking"))]
    groups = [
        file.read_row_group(n, ["local_token_count"]) for file in files for n in range(file.num_row_groups)
    ]
    return [group["local_token_count"].to_pylist() for group in groups]


LENGTHS = [5, 5, 80, 5, 40, 40, 41, 200, 1, 1, 1, 1]
"""Letters of each row's text; its tokens are 15 more."""


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
def test_row_groups_are_cut_at_so_many_tokens_or_rows(
    tokens: int, rows: int, expected: list[list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [MadeTrial("a", n, text="x" * length) for n, length in enumerate(LENGTHS)]
    made = [replace(one, traj=10 + one.traj) for one in made]  # so that uids sort as numbers do
    write_all(OutputLayout(tmp_path / "plain"), made)
    monkeypatch.setattr(source, "_MAX_GROUP_TOKENS", tokens)
    monkeypatch.setattr(source, "_MAX_GROUP_ROWS", rows)
    out = OutputLayout(tmp_path / "out")
    write_all(out, made)
    head = len(made[0].text_of("thinking")) - LENGTHS[0]
    assert groups_of(out) == [[length + head for length in group] for group in expected]
    for variant in VARIANTS:
        ours, plain = (shard_paths(one.dataset(variant)) for one in (out, OutputLayout(tmp_path / "plain")))
        assert [pq.read_table(path) for path in ours] == [pq.read_table(path) for path in plain]
        shards = read_shards(out.dataset(variant))
        assert wrong_rows(shards, read_ledger(out.ledger), variant) == []


@given(lengths=st.lists(st.integers(1, 60), max_size=30), tokens=st.integers(1, 100), rows=st.integers(1, 6))
def test_row_groups_hold_as_many_rows_in_order_as_fit(lengths: list[int], tokens: int, rows: int) -> None:
    lines = [{"at": at, "thinking.local_token_count": length} for at, length in enumerate(lengths)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "_MAX_GROUP_TOKENS", tokens)
        patch.setattr(source, "_MAX_GROUP_ROWS", rows)
        groups = [list(group) for group in source._row_groups(lines, "thinking")]
    assert [line for group in groups for line in group] == lines
    sizes = [[line["thinking.local_token_count"] for line in group] for group in groups]
    for group, after in zip(sizes, [*sizes[1:], None], strict=False):
        assert 1 <= len(group) <= rows and (len(group) == 1 or sum(group) <= tokens)
        assert after is None or len(group) == rows or sum(group) + after[0] > tokens
