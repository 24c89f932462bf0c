"""A build from the command line: one run of the one job, in this process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from seta_dag.defs.build.plan import HUB_ASSETS, WHOLE_ASSETS, Request, Work, asset_keys, look, prepare
from seta_dag.defs.build.run import run_job
from seta_dag.executor.stage import unbuilt
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.lock import locked
from seta_dag.tokens.renderers.qwen3 import Variant

_CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
_CLASS = re.compile(r"^(?:seta_dag|dagster)[\w.]*: ")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build did: tasks in all and really rebuilt, a sentence for each step or check that failed."""

    tasks: int
    rebuilt: int
    failures: tuple[str, ...] = ()


@contextmanager
def planned(request: Request, waiting: Callable[[], None]) -> Iterator[Work]:
    """Holds the output directory and says what is missing or changed. Raises `ConfigError`.

    `waiting` is called once if another build holds it. The tokenizer begins to load, if it is needed.
    """
    request.project.check()
    with locked(request.project.target.root, waiting):
        if request.full:
            request.project.target.forget()
        work = look(request)
        if work.tasks:
            request.student.load_ahead()
        yield work


def build(definitions: dg.Definitions, instance: dg.DagsterInstance, request: Request, work: Work) -> Outcome:
    """Materializes the tasks of `work`, and what stands over them."""
    tags, total = prepare(instance, request, work), len(work.merged.fingerprints)
    if not work.tasks and work.finished and _all_materialized(instance):
        return Outcome(total, 0)
    names = None if tags else WHOLE_ASSETS + HUB_ASSETS
    events = _run(definitions, instance, request, tags, names)
    return Outcome(total, _rebuilt(events), _failures(events) or _left(request))


def _left(request: Request) -> tuple[str, ...]:
    """A sentence where tasks are still to be built, although all were asked for."""
    out = request.project.target
    left = unbuilt(out, read_merged(out.resume_chain).fingerprints) if request.task is None else []
    if not left:
        return ()
    return (f"{len(left)} tasks came, changed or were damaged while this build ran: build again",)


def _all_materialized(instance: dg.DagsterInstance) -> bool:
    """Whether this instance has seen the assets over all tasks."""
    events = (instance.get_latest_materialization_event(key) for key in asset_keys(WHOLE_ASSETS))
    return all(event is not None for event in events)


def publish(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    request: Request,
    variants: Sequence[Variant],
    dry_run: bool,
) -> tuple[list[str], tuple[str, ...]]:
    """Writes the cards of the variants for the repo asked for and, unless it is a dry run, publishes
    them. Gives a sentence for each dataset published and for each step or check that failed.

    Raises `ConfigError` before anything is written where the settings are not those of the build.
    """
    request.hub.gate(request.project).require_its_rollouts()
    kinds = ("card",) if dry_run else ("card", "hub")
    names = tuple(f"{variant}_{kind}" for variant in variants for kind in kinds)
    events = _run(definitions, instance, request, {}, names)
    published = [event for event in events if event.is_step_materialization and event.step_key in HUB_ASSETS]
    return [_published_sentence(event) for event in published], _failures(events)


def _run(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    request: Request,
    tags: Mapping[str, str],
    names: tuple[str, ...] | None,
) -> list[dg.DagsterEvent]:
    """The events of one run over the assets of those names (None: all) and the tasks that the tags name."""
    config = request.run_config()
    if names is not None and "ledger" not in names:
        config.pop("ops")
    events = run_job(
        definitions.resolve_job_def("build"),
        instance,
        config | {"loggers": {"progress": {}}},
        tags,
        None if names is None else asset_keys(names),
    )
    steps = [_step_sentence(event) for event in events if event.is_step_failure]
    if any("DagsterExecutionInterruptedError" in said for said in steps):
        raise KeyboardInterrupt  # which Dagster took for a step that failed
    return events


def _rebuilt(events: Sequence[dg.DagsterEvent]) -> int:
    """How many tasks went through their last stage; those that failed are not among them."""
    made = [event for event in events if event.is_step_materialization and event.step_key == "tokens"]
    return int(made[0].materialization.metadata["tasks"].value) if made else 0  # type: ignore[arg-type]


def _failures(events: Sequence[dg.DagsterEvent]) -> tuple[str, ...]:
    said = [event.event_specific_data for event in events if event.event_type == _CHECKED]
    checks = [check for check in said if isinstance(check, dg.AssetCheckEvaluation) and not check.passed]
    errors = [check for check in checks if check.severity == dg.AssetCheckSeverity.ERROR]
    steps = [event for event in events if event.is_step_failure and not _is_check(event)]
    sentences = (*map(_check_sentence, errors), *map(_step_sentence, steps))
    return sentences or tuple(_step_sentence(event) for event in events if event.is_failure)


def _is_check(event: dg.DagsterEvent) -> bool:
    """Whether the step failed only because its checks did, which say more themselves."""
    error: Any = getattr(event.event_specific_data, "error", None)
    blocked = error is not None and error.cls_name == "DagsterAssetCheckFailedError"
    return blocked or event.step_key == "every_task_is_built"


def _step_sentence(event: dg.DagsterEvent) -> str:
    """What our error says, or the first cause of a foreign one; without the name of its class."""
    error: Any = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None and not error.message.startswith("seta_dag."):
        error = error.cause
    message = error.message.strip() if error is not None else event.message
    return f"{event.step_key or event.job_name}: {_CLASS.sub('', message or '')}"


def _published_sentence(event: dg.DagsterEvent) -> str:
    said = {name: value.value for name, value in event.materialization.metadata.items()}
    return f"{event.step_key}: commit {said['commit']}, {said['bytes uploaded']:,} bytes, {said['url']}"


def _check_sentence(check: dg.AssetCheckEvaluation) -> str:
    return f"{check.asset_key.to_user_string()}: check {check.check_name} failed: {check.description}"
