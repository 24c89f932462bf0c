"""The stage `tokens`: its results match the fingerprint, for any number of workers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import read_ledger, write_ledger
from seta_dag.dataset.shards.writer import write_shards
from seta_dag.errors import StudentError
from seta_dag.executor.stage import StageReport
from seta_dag.executor.workers import Workers, parse_workers
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.listing.trials import find_runs, list_trials
from seta_dag.rollouts.merge import merge_runs
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens import example
from seta_dag.tokens.built import failures, prune
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.proofs.sample import sample_rate
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.student.engines import Encoded, Engine, concat
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenize_tasks import tokenize_tasks
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import Place, take, tokenized, trial
from seta_dag_tests.support.damage import FLIPPED_UNSEEN
from seta_dag_tests.support.made import file_of
from seta_dag_tests.support.written import write_row

TASK = "multi_traj_task"
STUDENT = find_student(DEFAULT_STUDENT)
SETTINGS = RowSettings(STUDENT.name, STUDENT.identity, "fastokens", prove_all=True)


def log_grows(root: Path) -> None:
    max(trial(root, f"{TASK}_t0").rglob("conv_*.json")).write_text('{"request": {}}')


def trial_goes(root: Path) -> None:
    shutil.rmtree(trial(root, f"{TASK}_t0"))


def report_changes(root: Path) -> None:
    (trial(root, f"{TASK}_t0") / "verifier/ctrf.json").write_text("{}")


def nothing_changes(root: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "merged_for", "fails"),
    [
        (nothing_changes, "", False),
        (log_grows, "", True),
        (trial_goes, "", True),
        (report_changes, "", True),
        (nothing_changes, "another student", True),
    ],
)
def test_a_task_that_changed_since_the_merge_fails(
    change: Callable[[Path], None], merged_for: str, fails: bool, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", TASK)
    merged = merge_runs(place.rollouts, "*", merged_for or SETTINGS.identity)
    parse_tasks(place.out, place.rollouts, merged, [TASK])
    change(place.rollouts)
    report = tokenize_tasks(place.out, place.rollouts, merged, SETTINGS, [TASK])
    sentence = "tokens: its rollouts or the student changed during the build; build again"
    expected = {TASK: sentence} if fails else {}
    assert report.failed == failures(place.out, merged.fingerprints) == expected
    assert bool(OUTCOMES.built(place.out, merged.fingerprints)) is not fails


TRIALS = ("a_t0", "ctrf_", "multi_traj_task", "stack_overflow__10", "UPPER_Case")
WORKERS = [1, 2, 4]


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some twenty tasks, with rows and dropped trials."""
    root = tmp_path_factory.mktemp("many") / "rollouts"
    take(root / "exp/kimi", *TRIALS)
    return root


@pytest.fixture(scope="module")
def built(
    rollouts: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, tuple[OutputLayout, StageReport]]:
    """A build of all of them, by the number of processes."""
    done = {}
    for number in WORKERS:
        workers = parse_workers(str(number), SETTINGS.warm_up(100))
        try:
            done[number] = _build(rollouts, OutputLayout(tmp_path_factory.mktemp("out")), workers)
        finally:
            workers.close()
    return done


def _build(
    rollouts: Path, out: OutputLayout, workers: Workers | None = None
) -> tuple[OutputLayout, StageReport]:
    merged = merge_runs(rollouts, "*", SETTINGS.identity)
    tasks = list(merged.fingerprints)
    collect_tasks(out, rollouts, merged, tasks, workers=workers)
    parse_tasks(out, rollouts, merged, tasks, workers=workers)
    report = tokenize_tasks(out, rollouts, merged, SETTINGS, tasks, workers=workers)
    write_ledger(out.ledger, account(out, merged, Filters()), Filters())
    for variant in VARIANTS:
        write_shards(out, variant, read_ledger(out.ledger), merged.fingerprints, workers=workers)
    return out, report


def records(out: OutputLayout) -> dict[str, object]:
    """What the table says of each task, without the times of files."""
    return {line.task: (line.fingerprint, line.records, line.failure) for line in OUTCOMES.read(out)}


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("workers", WORKERS[1:])
def test_output_is_the_same_for_any_number_of_workers(
    workers: int, built: dict[int, tuple[OutputLayout, StageReport]]
) -> None:
    (one, first), (out, report) = built[1], built[workers]
    assert len(first.built) > 15 and not first.failed and first.counts["rows"] > 10
    assert (report.built, report.counts, report.failed) == (first.built, first.counts, first.failed)
    assert records(out) == records(one)
    for folder in ("stages/pieces", "thinking", "nothink"):
        found = contents(out.root / folder)
        assert found and found == contents(one.root / folder)
    assert out.ledger.read_bytes() == one.ledger.read_bytes()


def test_output_is_the_same_if_long_logs_are_parsed_again(
    rollouts: Path,
    built: dict[int, tuple[OutputLayout, StageReport]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(example, "_REREAD", 0)
    out, report = _build(rollouts, OutputLayout(tmp_path))
    assert report == built[1][1]
    assert records(out) == records(built[1][0])


def test_a_changed_task_is_built_and_its_neighbours_are_copied(
    rollouts: Path, built: dict[int, tuple[OutputLayout, StageReport]], tmp_path: Path
) -> None:
    out = OutputLayout(shutil.copytree(built[1][0].root, tmp_path / "out"))
    merged = merge_runs(rollouts, "*", SETTINGS.identity)
    with tokenized() as tasks:
        report = tokenize_tasks(out, rollouts, merged, SETTINGS, [TASK])
    assert tasks == {TASK} and report.built == [TASK]
    prune(out, merged.fingerprints)
    rows = {line.task: [replace(one, at=0) for one in line.records] for line in OUTCOMES.read(out)}
    before = {line.task: [replace(one, at=0) for one in line.records] for line in OUTCOMES.read(built[1][0])}
    assert rows == before
    for variant in VARIANTS:
        shutil.rmtree(out.dataset(variant))
        write_shards(out, variant, read_ledger(out.ledger), merged.fingerprints)
        assert contents(out.dataset(variant)) == contents(built[1][0].dataset(variant))


def test_a_damaged_neighbour_is_built_again_and_not_copied(
    rollouts: Path, built: dict[int, tuple[OutputLayout, StageReport]], tmp_path: Path
) -> None:
    out = OutputLayout(shutil.copytree(built[1][0].root, tmp_path / "out"))
    merged = merge_runs(rollouts, "*", SETTINGS.identity)
    prune(out, merged.fingerprints)  # so that the files are known by their time
    path = file_of(out, TASK)
    neighbours = {line.task for line in OUTCOMES.read(out) if line.file and line.file.name == path.name}
    FLIPPED_UNSEEN(path)
    with tokenized() as tasks:
        tokenize_tasks(out, rollouts, merged, SETTINGS, [TASK])
    assert tasks == neighbours > {TASK}
    for variant in VARIANTS:
        shutil.rmtree(out.dataset(variant))
        write_shards(out, variant, read_ledger(out.ledger), merged.fingerprints)
        assert contents(out.dataset(variant)) == contents(built[1][0].dataset(variant))


class OtherEngine:
    """Returns wrong ids: the last one is changed, for each text with at least `least` ids."""

    def __init__(self, engine: Engine, least: int) -> None:
        self._engine, self._least = engine, least

    def encode(self, texts: Sequence[str]) -> Encoded:
        return self._engine.encode(texts)

    def encode_ordinary(self, texts: Sequence[str]) -> Encoded:
        parts = [part.copy() for part in self._engine.encode_ordinary(texts).parts()]
        for part in parts:
            part[-1:] += len(part) >= self._least
        return concat(parts)


@pytest.mark.parametrize(
    ("least", "sample_rate", "is_row"),
    [(0, 1.0, False), (10**9, 1.0, True), (0, 0.0, True)],
    ids=["all ids wrong", "no id wrong", "not sampled"],
)
def test_a_row_is_dropped_if_the_engines_disagree(
    least: int, sample_rate: float, is_row: bool, tmp_path: Path, maker: RowMaker
) -> None:
    take(tmp_path / "exp/kimi", TASK)
    prover = replace(maker.prover)
    vars(prover)["reference"] = OtherEngine(maker.prover.reference, least)
    (first, *_) = list_trials(tmp_path, *find_runs(tmp_path))
    row = write_row(tmp_path, first, RowMaker(prover, sample_rate), tmp_path / "rows").row
    assert (row.reason is None) == is_row
    assert is_row or str(row.detail).startswith("thinking: engines_agree: id of token ")


@pytest.mark.parametrize(
    ("trials", "checked"),
    [(1, 0.05), (20, 1), (400, 20), (401, 20), (1600, 20), (2000, 20), (10_000, 100)],
)
def test_the_sample_grows_slower_than_the_build(trials: int, checked: float) -> None:
    assert sample_rate(trials) * trials == pytest.approx(checked)


def test_another_tokenizer_than_the_merged_one_makes_no_row() -> None:
    other = replace(SETTINGS, identity="another")
    with pytest.raises(StudentError, match="changed during the build, or is another one here"):
        other.maker(1)


@pytest.mark.parametrize(
    ("n_tasks", "prove_all", "name"),
    [(1, False, "load_engine"), (1, True, "load_engines"), (50, False, "load_engines")],
)
def test_few_tasks_do_not_wait_for_the_reference_engine(n_tasks: int, prove_all: bool, name: str) -> None:
    warm_up = replace(SETTINGS, prove_all=prove_all).warm_up(n_tasks)
    assert warm_up == (f"seta_dag.tokens.row_settings:{name}", (STUDENT.name, "fastokens"))
    warm_up.run()
