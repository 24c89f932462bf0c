"""The last checks before a publish: everything once more from the files, and a scan for secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seta_dag.dataset.checks.proofs import read_proofs
from seta_dag.dataset.checks.reasoning import read_reasoning
from seta_dag.dataset.checks.recount import count_by_run, unaccounted
from seta_dag.dataset.checks.rows import altered_rows, wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.dataset.ledger.ledger import read_filters, read_ledger
from seta_dag.dataset.shards.known import read_shards
from seta_dag.errors import ConfigError, DatasetError, PublishError
from seta_dag.hub.card.check import check_card
from seta_dag.reports.plural import counted
from seta_dag.rollouts.listing.trials import find_runs
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import OutputLayout, existing
from seta_dag.tokens.built import failures, unbuilt
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import Variant

if TYPE_CHECKING:
    from seta_dag.hub.secret_gate import Findings

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Preflight:
    """The checks before a publish.

    Attributes:
        out: output directory with the dataset.
        root: rollouts root that it was built from.
        runs: glob that selected the runs.
        allowed: file of fingerprints of secrets that may be published.
        allow_secrets: whether all secrets may be published.
    """

    out: OutputLayout
    root: Path
    runs: str
    allowed: Path | None = None
    allow_secrets: bool = False

    def require(self, variant: Variant) -> Findings:
        """Check everything, and return the secrets that were found and allowed.

        The findings are written to `secrets-VARIANT.json` next to the ledger in any case.

        Raises:
            PublishError: a check fails, or a row contains a secret that is not allowed.
        """
        from seta_dag.hub.secret_gate import read_allowed, scan, write_report

        try:
            faults = list(self._faults(variant))
        except DatasetError:
            self.out.forget()
            raise
        if faults:
            self.out.forget()  # so that the next build reads what it has written, whatever the files' times
            raise PublishError(
                f"{self.out.dataset(variant)} fails a check: {'; '.join(faults[:_SHOWN])}; build again"
            )
        found = scan(self.out.dataset(variant), read_allowed(self.allowed) if self.allowed else ())
        report = self.out.root / f"secrets-{variant}.json"
        write_report(report, found)
        if found.blocking and not self.allow_secrets:
            raise PublishError(_refusal(found, report))
        return found

    def require_its_rollouts(self) -> None:
        """Raise `ConfigError` if there are other runs now than the datasets were built from."""
        now = tuple(run.path for run in find_runs(self.root, self.runs))
        if now != read_merged(self.out.resume_chain).runs:
            raise ConfigError(
                f"{self.out.root}: it was built from other runs than {self.root} has now"
                f" (runs matching {self.runs!r}); build again, or give the rollouts of the build"
            )

    def _faults(self, variant: Variant) -> Iterator[str]:
        merged = read_merged(self.out.resume_chain)
        lines = read_ledger(existing(self.out.ledger, "ledger"))
        folder = self.out.dataset(variant)
        yield from (f"{task}: {error}" for task, error in failures(self.out, merged.fingerprints).items())
        left = unbuilt(self.out, merged.fingerprints)
        yield from [f"{len(left)} tasks are not built, for example {left[0]}"] if left else []
        yield from unaccounted(lines, count_by_run(self.root, self.runs))
        yield from wrong_schemas(folder)
        shards = read_shards(folder)
        yield from () if any(shard.rows for shard in shards) else ("it has no rows",)
        yield from wrong_rows(shards, lines, variant)
        yield from wrong_lengths(shards)
        if variant == "thinking" and read_reasoning(lines).lost:
            yield "no row has reasoning, although logs hold some"
        outcomes = OUTCOMES.built(self.out, merged.fingerprints)
        yield from altered_rows(shards, outcomes, variant)
        unproved = read_proofs(shards, outcomes, variant).unproved
        yield from (f"{uid}: not the row that was proved" for uid in unproved)
        yield from check_card(folder, lines, filters=read_filters(self.out.ledger))


def _refusal(found: Findings, report: Path) -> str:
    kinds = ", ".join(f"{kind} {n}" for kind, n in found.kinds().items())
    outdated = f"; no secret has the allowed {', '.join(found.outdated)}" if found.outdated else ""
    secrets = counted(len(found.blocking), "secret")
    return (
        f"{secrets} in what would be published ({kinds}), see {report}; build with --redact, remove these"
        " trials, allow the secrets by their fingerprints in a file, or allow all with --allow-secrets"
        f"{outdated}"
    )
