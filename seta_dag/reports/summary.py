"""The summary at the end of a build, with every number read from the ledger that was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from seta_dag.dataset.ledger.ledger import count_dispositions, count_flags, count_reasons, read_ledger
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.reports.printable import json_line
from seta_dag.rollouts.reasons import WORRYING
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import VARIANTS

_FLAGS_SHOWN = 8
_TOLERATED = 0.05
"""Share of the rows that may have a flag of `WORRYING` before a build says so."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of one build.

    Attributes:
        out: output directory.
        tasks: number of tasks in the rollouts.
        tasks_rebuilt: number of tasks that this build built.
        trials: number of ledger lines.
        rows: rows per variant.
        superseded: superseded trials.
        dropped: dropped trials by reason.
        flags: rows by flag, most frequent first.
        flagged: rows that have a flag.
        worrying: rows that have one of the flags `WORRYING`.
        tokens: token ids per variant.
        trainable_tokens: trained token ids per variant.
        seconds: wall-clock time of the build.
    """

    out: str
    tasks: int
    tasks_rebuilt: int
    trials: int
    rows: dict[str, int]
    superseded: int
    dropped: dict[str, int]
    flags: dict[str, int]
    flagged: int
    worrying: int
    tokens: dict[str, int]
    trainable_tokens: dict[str, int]
    seconds: float

    def as_json(self) -> str:
        """Return one JSON object on one line."""
        return json_line(asdict(self))

    def as_text(self) -> str:
        """Return the summary for a person."""
        rows = self.rows[VARIANTS[0]]
        dropped = sum(self.dropped.values())
        lines = [
            f"{self.tasks_rebuilt} of {self.tasks} tasks rebuilt in {self.seconds:.1f} s",
            "",
            f"trials seen   {self.trials:>12,}",
            f"  rows        {rows:>12,}",
            *([f"    with flags{self.flagged:>12,}   {_listed(self._shown_flags())}"] if self.flags else []),
            f"  superseded  {self.superseded:>12,}",
            f"  dropped     {dropped:>12,}" + (f"   {_listed(self.dropped)}" if dropped else ""),
            "",
            *(self._variant(variant) for variant in VARIANTS),
            f"ledger        {self.out}/ledger.parquet   (seta-dag ledger)",
            "",
            "See every stage: seta-dag ui",
        ]
        return "\n".join(lines)

    def warning(self) -> str | None:
        """Return a sentence if more than 5 % of the rows have a flag that may spoil the training."""
        rows = self.rows[VARIANTS[0]]
        if self.worrying <= _TOLERATED * rows:
            return None
        found = {flag: self.flags[flag] for flag in self.flags if flag in set(WORRYING)}
        return (
            f"{self.worrying:,} of {rows:,} rows ({self.worrying / rows:.1%}) may not be what the student "
            f"should learn: {_listed(found)}; see them with seta-dag ledger --flag {next(iter(found))}, "
            f"drop them with --drop-flag"
        )

    def _shown_flags(self) -> dict[str, int]:
        return dict(list(self.flags.items())[:_FLAGS_SHOWN])

    def _variant(self, variant: str) -> str:
        tokens, trainable = self.tokens[variant], self.trainable_tokens[variant]
        share = f"{trainable / tokens:.1%} trainable" if tokens else "no rows"
        return f"{variant:<13} {tokens:>12,} tokens, {share:<16} {self.out}/{variant}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def summarize(out: OutputLayout, tasks: int, rebuilt: int, seconds: float) -> Summary:
    """Summarize what is under `out`; all counts are 0 without a ledger."""
    lines: Sequence[LedgerLine] = read_ledger(out.ledger) if out.ledger.is_file() else ()
    counts = count_dispositions(lines)
    rows = [line for line in lines if line.disposition == "row"]
    flags = count_flags(lines)
    return Summary(
        out=str(out.root),
        tasks=tasks,
        tasks_rebuilt=rebuilt,
        trials=len(lines),
        rows=dict.fromkeys(VARIANTS, counts["row"]),
        superseded=counts["superseded"],
        dropped=count_reasons(lines),
        flags=dict(sorted(flags.items(), key=lambda item: (-item[1], item[0]))),
        flagged=sum(bool(line.flags) for line in rows),
        worrying=sum(not set(WORRYING).isdisjoint(line.flags) for line in rows),
        tokens={variant: sum(line.tokens(variant) for line in rows) for variant in VARIANTS},
        trainable_tokens={
            variant: sum(line.trainable_tokens(variant) for line in rows) for variant in VARIANTS
        },
        seconds=round(seconds, 2),
    )
