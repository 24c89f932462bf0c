"""The batched event log written by many at once, and by processes that are killed: whole batches or none."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from seta_dag.defs.instance.batched_event_log import BatchedEventLog
from seta_dag_tests.support.builds import statuses
from seta_dag_tests.support.event_logs import batch, partitions, run
from seta_dag_tests.support.processes import wait_until

pytestmark = pytest.mark.filterwarnings("ignore:.*backfill_policy", "ignore:.*fork:DeprecationWarning")

FORK = multiprocessing.get_context("fork")
SIZE, BATCHES = 10, 20


@pytest.fixture
def log(home: Path) -> Iterator[BatchedEventLog]:
    """The event log of a fresh instance, its index open."""
    log = BatchedEventLog(str(home / "history" / "runs"))
    assert not log.get_materialized_partitions(dg.AssetKey("a"))
    yield log
    log.dispose()


@contextmanager
def forked(target: Callable[..., object], *arguments: Any) -> Iterator[BaseProcess]:
    """A process that goes on with what is open here; killed when the block ends."""
    process = FORK.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def store(log: BatchedEventLog, of: str, batches: int = BATCHES, size: int = SIZE) -> None:
    for at in range(batches):
        log.store_event_batch(batch(of, at, size))


def store_in_a_log_of_its_own(log: BatchedEventLog, of: str) -> None:
    store(BatchedEventLog(str(Path(log.path_for_shard(of)).parent)), of)


WRITERS: dict[str, tuple[Any, Callable[[BatchedEventLog, str], None]]] = {
    "forked_1": (FORK.Process, store),
    "forked_2": (FORK.Process, store),
    "its_own": (FORK.Process, store_in_a_log_of_its_own),
    "thread_1": (threading.Thread, store),
    "thread_2": (threading.Thread, store),
}


def test_what_several_processes_and_threads_store_at_once_is_there_once(log: BatchedEventLog) -> None:
    writers = [kind(target=target, args=(log, of)) for of, (kind, target) in WRITERS.items()]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wanted = {of: [f"{of}/{at}/{i}" for at in range(BATCHES) for i in range(SIZE)] for of in WRITERS}
    stored = partitions(log)
    assert {of: partitions(log, of) for of in WRITERS} == wanted
    assert {of: [key for key in stored if key.startswith(of)] for of in WRITERS} == wanted
    assert (
        len(stored) == len(log.get_materialized_partitions(dg.AssetKey("a"))) == len(WRITERS) * BATCHES * SIZE
    )
    for at in range(0, len(stored), SIZE):
        assert len({key.rpartition("/")[0] for key in stored[at : at + SIZE]}) == 1


def test_two_processes_that_write_to_the_same_runs_do_not_hold_each_other_up(log: BatchedEventLog) -> None:
    both_ready = FORK.Barrier(2)

    def store_in(*runs: str) -> None:
        batches = [[event for of in runs for event in batch(of, at, 3)] for at in range(30)]
        both_ready.wait(60)
        for events in batches:
            log.store_event_batch(events)

    with forked(store_in, "run_1", "run_2") as one, forked(store_in, "run_2", "run_1") as other:
        one.join(60)
        other.join(60)
    assert one.exitcode == other.exitcode == 0
    assert [len(partitions(log, shard)) for shard in ("index", "run_1", "run_2")] == [360, 180, 180]


def test_a_forked_process_stores_on_when_its_parent_closes_the_log(log: BatchedEventLog) -> None:
    closed = FORK.Event()

    def store_later() -> None:
        closed.wait(60)
        store(log, "forked", 1)

    with forked(store_later) as process:
        log.dispose()
        closed.set()
        process.join(60)
    assert process.exitcode == 0
    assert len(partitions(log)) == SIZE


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_of_a_process_killed_in_the_middle_of_a_batch_whole_batches_stay(
    batches: int, log: BatchedEventLog
) -> None:
    with forked(store, log, "killed", 1_000_000, 500) as process:
        assert wait_until(lambda: len(partitions(log)) >= 500 * batches, process.is_alive)
    stored = len(partitions(log))
    assert stored % 500 == 0 and len(partitions(log, "killed")) - stored in (0, 500)
    store(log, "next", 1)
    assert partitions(log)[stored:] == partitions(log, "next") == [f"next/0/{i}" for i in range(SIZE)]


def test_what_a_killed_run_did_not_store_is_missing_and_the_next_run_materializes_it(
    on_disk: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def done() -> set[str]:
        return on_disk.get_materialized_partitions(dg.AssetKey("first"))

    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "20")
    on_disk.add_dynamic_partitions("task", [f"task_{at}" for at in range(200)])
    with forked(run, on_disk) as process:
        assert wait_until(done, process.is_alive)
    assert len(done()) in range(20, 200, 20)
    found = statuses(on_disk, "first")
    assert {task for task, status in found.items() if status == "materialized"} == done()
    assert run(on_disk).success
    assert {*statuses(on_disk, "first").values(), *statuses(on_disk, "second").values()} == {"materialized"}
