"""The batched event log with several writers at once, and with writers that are killed."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
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
PATIENCE = 300.0  # seconds; reached only by a writer that hangs


@pytest.fixture
def log(home: Path) -> Iterator[BatchedEventLog]:
    """Return the event log of a fresh instance, with an open connection to its index."""
    log = BatchedEventLog(str(home / "history" / "runs"))
    assert not log.get_materialized_partitions(dg.AssetKey("a"))
    yield log
    log.dispose()


@contextmanager
def forked(target: Callable[..., object], *arguments: Any) -> Iterator[BaseProcess]:
    """Run `target` in a process that inherits open connections; kill it when the block ends."""
    process = FORK.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def store(log: BatchedEventLog, run_id: str, batches: int = BATCHES, size: int = SIZE) -> None:
    for n in range(batches):
        log.store_event_batch(batch(run_id, n, size))


def store_in_a_new_log(log: BatchedEventLog, run_id: str) -> None:
    store(BatchedEventLog(str(Path(log.path_for_shard(run_id)).parent)), run_id)


WRITERS: dict[str, tuple[Any, Callable[[BatchedEventLog, str], None]]] = {
    "forked_1": (FORK.Process, store),
    "forked_2": (FORK.Process, store),
    "new_log": (FORK.Process, store_in_a_new_log),
    "thread_1": (threading.Thread, store),
    "thread_2": (threading.Thread, store),
}
"""Processes and threads that write at once, by the id of the run they write to."""


def test_concurrent_writers_store_every_event_once_and_batches_in_one_go(log: BatchedEventLog) -> None:
    writers = [kind(target=target, args=(log, run_id)) for run_id, (kind, target) in WRITERS.items()]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wanted = {of: [f"{of}/{n}/{i}" for n in range(BATCHES) for i in range(SIZE)] for of in WRITERS}
    stored = partitions(log)
    assert {of: partitions(log, of) for of in WRITERS} == wanted
    assert {of: [key for key in stored if key.startswith(of)] for of in WRITERS} == wanted
    materialized = log.get_materialized_partitions(dg.AssetKey("a"))
    assert len(stored) == len(materialized) == len(WRITERS) * BATCHES * SIZE
    # No batch is interrupted by another one.
    for start in range(0, len(stored), SIZE):
        assert len({key.rpartition("/")[0] for key in stored[start : start + SIZE]}) == 1


def test_writers_to_the_same_runs_in_opposite_order_do_not_deadlock(log: BatchedEventLog) -> None:
    both_ready = FORK.Barrier(2)

    def store_in(*runs: str) -> None:
        batches = [[event for run_id in runs for event in batch(run_id, n, 3)] for n in range(30)]
        both_ready.wait(PATIENCE)
        for events in batches:
            log.store_event_batch(events)

    with forked(store_in, "run_1", "run_2") as one, forked(store_in, "run_2", "run_1") as other:
        one.join(PATIENCE)
        other.join(PATIENCE)
    assert one.exitcode == other.exitcode == 0
    assert [len(partitions(log, shard)) for shard in ("index", "run_1", "run_2")] == [360, 180, 180]


def test_forked_process_can_store_after_its_parent_closed_the_log(log: BatchedEventLog) -> None:
    closed = FORK.Event()

    def store_later() -> None:
        closed.wait(PATIENCE)
        store(log, "forked", 1)

    with forked(store_later) as process:
        log.dispose()
        closed.set()
        process.join(PATIENCE)
    assert process.exitcode == 0
    assert len(partitions(log)) == SIZE


def test_killed_writer_leaves_only_complete_batches(log: BatchedEventLog) -> None:
    with forked(store, log, "killed", 1_000_000, 500) as process:
        assert wait_until(lambda: len(partitions(log)) >= 1000, process.is_alive)
    stored = len(partitions(log))
    # The index is committed last, so the database of the run may have one batch more.
    assert stored % 500 == 0 and len(partitions(log, "killed")) - stored in (0, 500)
    store(log, "next", 1)
    assert partitions(log)[stored:] == partitions(log, "next") == [f"next/0/{i}" for i in range(SIZE)]


def run_until_third_batch(instance: dg.DagsterInstance, reached: Event) -> None:
    """Run all assets, but stop in the third batch of materializations, before it is committed."""
    log = instance.event_log_storage
    assert isinstance(log, BatchedEventLog)
    store_asset_events, batches = log._store_asset_events, 0

    def store_and_stop(events: Sequence[dg.EventLogEntry]) -> None:
        nonlocal batches
        store_asset_events(events)
        batches += events[0].get_dagster_event().is_step_materialization
        if batches == 3:
            reached.set()
            signal.pause()  # until the process is killed

    log._store_asset_events = store_and_stop  # type: ignore[method-assign]
    run(instance)


def test_killed_run_is_completed_by_the_next_run(
    on_disk: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "20")
    on_disk.add_dynamic_partitions("task", [f"task_{n}" for n in range(200)])
    reached = FORK.Event()
    with forked(run_until_third_batch, on_disk, reached) as process:
        assert wait_until(reached.is_set, process.is_alive)
    done = on_disk.get_materialized_partitions(dg.AssetKey("first"))
    assert len(done) == 40
    found = statuses(on_disk, "first")
    assert {task for task, status in found.items() if status == "materialized"} == done
    assert run(on_disk).success
    assert {*statuses(on_disk, "first").values(), *statuses(on_disk, "second").values()} == {"materialized"}
