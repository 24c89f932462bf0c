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
from seta_dag.executor.stage import StageReport, failures, records
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.merge import merge_runs
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.store import journal
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens import example
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.outcomes import read_outcomes
from seta_dag.tokens.student.engines import Encoded, Engine, concat
from seta_dag.tokens.tokenize_tasks import tokenize_tasks
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import Place, take, trial

TASK = "multi_traj_task"


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
    change: Callable[[Path], None], merged_for: str, fails: bool, tmp_path: Path, maker: RowMaker
) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", TASK)
    merged = merge_runs(place.rollouts, "*", merged_for or maker.student)
    parse_tasks(place.out, place.rollouts, merged, [TASK])
    change(place.rollouts)
    report = tokenize_tasks(place.out, place.rollouts, merged, maker, [TASK])
    sentence = "tokens: ChangedError: its rollouts or the student changed during the build; build again"
    expected = {TASK: sentence} if fails else {}
    assert report.failed == failures(place.out, merged.fingerprints) == expected
    assert bool(place.out.built("tokens")) is not fails
    assert bool(records(place.out, "tokens", merged.fingerprints)) is not fails


TRIALS = ("a_t0", "ctrf_", "multi_traj_task", "stack_overflow__10", "UPPER_Case")
WORKERS: list[int | None] = [1, 4, None]


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some twenty tasks, with rows and dropped trials."""
    root = tmp_path_factory.mktemp("many") / "rollouts"
    take(root / "exp/kimi", *TRIALS)
    return root


@pytest.fixture(scope="module")
def built(
    rollouts: Path, maker: RowMaker, tmp_path_factory: pytest.TempPathFactory
) -> dict[int | None, tuple[OutputLayout, StageReport]]:
    """A build of all of them, by the number of workers."""
    done = {}
    for workers in WORKERS:
        out = OutputLayout(tmp_path_factory.mktemp("out"))
        merged = merge_runs(rollouts, "*", maker.student)
        collect_tasks(out, rollouts, merged, merged.fingerprints)
        parse_tasks(out, rollouts, merged, merged.fingerprints)
        report = tokenize_tasks(out, rollouts, merged, maker, merged.fingerprints, workers=workers)
        write_ledger(out.ledger, account(out, merged, Filters()), Filters())
        for variant in VARIANTS:
            write_shards(out, variant, read_ledger(out.ledger), merged.fingerprints)
        done[workers] = out, report
    return done


def lines(out: OutputLayout) -> set[tuple[str, str, bytes]]:
    """The entries of the journal, without the file times."""
    found = journal.read(out.journal("tokens"))
    return {(name, entry.checksum.rpartition(":")[0], entry.record) for name, entry in found.items()}


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("workers", WORKERS[1:])
def test_output_is_the_same_for_any_number_of_workers(
    workers: int | None, built: dict[int | None, tuple[OutputLayout, StageReport]]
) -> None:
    (one, first), (out, report) = built[1], built[workers]
    assert len(first.built) > 15 and not first.failed and first.counts["rows"] > 10
    assert (report.built, report.counts, report.failed) == (first.built, first.counts, first.failed)
    assert lines(out) == lines(one)
    for folder in ("stages/tokens", "thinking", "nothink"):
        found = contents(out.root / folder)
        assert found and found == contents(one.root / folder)
    assert out.ledger.read_bytes() == one.ledger.read_bytes()


def test_output_is_the_same_if_long_logs_are_parsed_again(
    rollouts: Path, maker: RowMaker, built: dict[int | None, tuple[OutputLayout, StageReport]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(example, "_REREAD", 0)
    out, merged = OutputLayout(tmp_path), merge_runs(rollouts, "*", maker.student)
    parse_tasks(out, rollouts, merged, merged.fingerprints)
    assert tokenize_tasks(out, rollouts, merged, maker, merged.fingerprints) == built[1][1]
    assert lines(out) == lines(built[1][0])


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
    ("least", "sample_rate", "rows"),
    [(0, 1.0, 0), (10**9, 1.0, 4), (0, 0.0, 4)],
    ids=["all ids wrong", "no id wrong", "not sampled"],
)
def test_a_row_is_dropped_if_the_engines_disagree(
    least: int, sample_rate: float, rows: int, tmp_path: Path, maker: RowMaker
) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", TASK)
    prover = replace(maker.prover)
    vars(prover)["reference"] = OtherEngine(maker.prover.reference, least)
    merged = merge_runs(place.rollouts, "*", maker.student)
    parse_tasks(place.out, place.rollouts, merged, [TASK])
    report = tokenize_tasks(place.out, place.rollouts, merged, RowMaker(prover, sample_rate), [TASK])
    outcomes = read_outcomes(place.out, merged.fingerprints)[TASK]
    assert (report.counts["rows"], report.counts["dropped: not_exact"]) == (rows, len(outcomes) - rows)
    for line in outcomes:
        assert (line["reason"] is None) == bool(rows)
        assert rows or line["detail"].startswith("thinking: engines_agree: id of token ")
