"""Conversation and tokenization, task by task: each canonical trial's row in both variants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from seta_dag.dataset.rows import RowMaker, TrialRow, build_rows
from seta_dag.dataset.task_table import write_task
from seta_dag.errors import ChangedError, NotBuiltError
from seta_dag.out import Out, task_file_name
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.merged import Merged
from seta_dag.rollouts.reports import read_reports
from seta_dag.stages import StageReport, run_stage
from seta_dag.whole import intact


def tokenize_tasks(
    out: Out, root: Path, merged: Merged, maker: RowMaker, tasks: Iterable[str]
) -> StageReport:
    """Writes the stage file of each of `tasks`; counts rows, drops by reason, flags and tokens."""
    names = {task: task_file_name("ctrf", task, merged.fingerprints[task]) for task in tasks}
    of_task, reported = merged.of_task(), intact(out, "ctrf", names.values())

    def build(task: str, path: Path) -> Counter[str]:
        reports = read_reports(out, task, merged.fingerprints[task]) if names[task] in reported else None
        if reports is None:
            raise NotBuiltError(f"no reports of {task}; materialize ctrf_reports first")
        trials = [trial for trial in of_task[task] if trial.path in merged.canonical]
        rows = build_rows(root, [(trial, reports[trial.path]) for trial in trials], maker)
        if task_fingerprint(root, of_task[task], maker.student) != merged.fingerprints[task]:
            raise ChangedError("its rollouts or the student changed while it was built; build again")
        write_task(path, rows)
        return sum((_counts(row) for row in rows), Counter())

    return run_stage(out, "tokens", merged.fingerprints, names, build)


def _counts(row: TrialRow) -> Counter[str]:
    counts = Counter([f"dropped: {row.reason}" if row.reason else "rows"])
    counts.update(f"flagged: {flag}" for flag in row.flags)
    counts["held against the reference engine"] += row.against_reference
    for variant, made in row.variants.items():
        counts[f"{variant} tokens"] += len(made.tokens.ids)
        counts[f"{variant} trainable tokens"] += made.tokens.n_trainable
    return counts
