"""Build the row of a trial, and read it back from the file of its task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seta_dag.executor.workers import Deferred
from seta_dag.rollouts.ctrf import read_report
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.store.arrow import to_numpy
from seta_dag.tokens.example import RowMaker, build_row
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.task_file import RowParts, read_row, task_file
from seta_dag.tokens.trial_row import TrialRow
from seta_dag.tokens.variants import VARIANTS, Variant


@dataclass(frozen=True, slots=True)
class Written:
    """A row that was written and read back.

    Attributes:
        row: outcome of the trial.
        parts: the long columns of the row by variant, empty if the trial was dropped.
    """

    row: TrialRow
    parts: dict[Variant, RowParts]

    @property
    def raw(self) -> str:
        """The column `raw_conv_json`."""
        return str(self.parts["thinking"].log[0].as_py())

    def text(self, variant: Variant) -> str:
        """Return the column `chat_template_str`."""
        return str(self.parts[variant].text[0].as_py())

    def rendered(self, variant: Variant) -> Rendered:
        """Render the log of the row once more, and check that the text is that of the row."""
        rendered = render(conversation(json.loads(self.raw)), variant)
        assert rendered.text == self.text(variant)
        return rendered

    def spans(self, variant: Variant) -> list[list[int]]:
        """Return the trainable spans as [start, end) in tokens, one per assistant turn."""
        spans: list[list[int]] = to_numpy(self.parts[variant].spans, np.int32)[0].reshape(-1, 2).tolist()
        return spans


def write_row(root: Path, trial: Trial, maker: RowMaker, path: Path) -> Written:
    """Build the row of a trial below `root`, with the file of its task at `path`, and read it back."""
    deferred = Deferred()
    with task_file(path) as file:
        row = build_row(root, trial, read_report(root / trial.path), maker, file, deferred)
    deferred.run()
    variants = VARIANTS if row.reason is None else ()
    return Written(row, {variant: read_row(path, row.first_batch, variant) for variant in variants})
