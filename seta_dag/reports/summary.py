"""The summary that ends a build: every number read from the ledger that was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from seta_dag.dataset.ledger.ledger import count_dispositions, count_reasons, read_ledger
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import VARIANTS


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of one build; `rows`, `tokens` and `trainable_tokens` are by variant."""

    out: str
    tasks: int
    tasks_rebuilt: int
    trials: int
    rows: dict[str, int]
    superseded: int
    dropped: dict[str, int]
    tokens: dict[str, int]
    trainable_tokens: dict[str, int]
    seconds: float

    def as_json(self) -> str:
        """One JSON object on one line."""
        return orjson.dumps(asdict(self)).decode()

    def as_text(self) -> str:
        """For a person."""
        rows = self.rows[VARIANTS[0]]
        reasons = ", ".join(f"{reason} {number}" for reason, number in self.dropped.items())
        dropped = sum(self.dropped.values())
        lines = [
            f"{self.tasks_rebuilt} of {self.tasks} tasks rebuilt in {self.seconds:.1f} s",
            "",
            f"trials seen   {self.trials:>12,}",
            f"  rows        {rows:>12,}",
            f"  superseded  {self.superseded:>12,}",
            f"  dropped     {dropped:>12,}" + (f"   {reasons}" if reasons else ""),
            "",
            *(self._variant(variant) for variant in VARIANTS),
            f"ledger        {self.out}/ledger.parquet   (seta-dag ledger)",
            "",
            "See every stage: make ui, or dagster dev",
        ]
        return "\n".join(lines)

    def _variant(self, variant: str) -> str:
        tokens, trainable = self.tokens[variant], self.trainable_tokens[variant]
        share = f"{trainable / tokens:.1%} trainable" if tokens else "no row"
        return f"{variant:<13} {tokens:>12,} tokens, {share:<16} {self.out}/{variant}"


def summarize(out: OutputLayout, tasks: int, rebuilt: int, seconds: float) -> Summary:
    """The summary of what stands under `out`; all zero where there is no ledger."""
    lines: Sequence[dict[str, Any]] = read_ledger(out.ledger) if out.ledger.is_file() else ()
    counts = count_dispositions(lines)
    rows = [line for line in lines if line["disposition"] == "row"]
    return Summary(
        out=str(out.root),
        tasks=tasks,
        tasks_rebuilt=rebuilt,
        trials=len(lines),
        rows=dict.fromkeys(VARIANTS, counts["row"]),
        superseded=counts["superseded"],
        dropped=count_reasons(lines),
        tokens={variant: sum(line[f"{variant}_tokens"] for line in rows) for variant in VARIANTS},
        trainable_tokens={
            variant: sum(line[f"{variant}_trainable_tokens"] for line in rows) for variant in VARIANTS
        },
        seconds=round(seconds, 2),
    )
