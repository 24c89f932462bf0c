"""The library without Dagster: the work of `seta-dag build`, and of its asset checks.

    python bench/ways/alone.py ROLLOUTS OUT [--no-proofs]

Without proofs it can be compared with the floor: no row is proved and nothing is read back, so there are no
cards either.
"""

from __future__ import annotations

import argparse
import gc
import json
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from seta_dag.executor.memory import use_one_pool

use_one_pool()  # before Arrow is imported, as in seta_dag/defs; hence the imports below it

from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import read_ledger, write_ledger
from seta_dag.dataset.checks.recount import count_by_run, unaccounted
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.dataset.checks.proofs import read_proofs
from seta_dag.dataset.checks.rows import wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.dataset.shards.known import read_shards
from seta_dag.dataset.shards.writer import write_shards
from seta_dag.reports.summary import summarize
from seta_dag.tokens.tokenize_tasks import tokenize_tasks
from seta_dag.hub.card.check import check_card
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.write import facts_of, write_card
from seta_dag.store.layout import OutputLayout
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.merge import Merged, merge_runs, write_merged
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.tokens.built import failures
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.variants import VARIANTS
from seta_dag.tokens.student.engines import EngineName
from seta_dag.tokens.student.student import DEFAULT_STUDENT, Student, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.student.vocabulary import Vocabulary


class NoProofs(Prover):
    """A prover that accepts every row."""

    def prove(self, *_: Any, **__: Any) -> None:
        return None

    def engines_agree(self, *_: Any) -> None:
        return None


def unproved() -> AbstractContextManager[object]:
    """Make every row without proofs. The vocabulary is not loaded: only they need it."""

    def load(student: Student, engine: EngineName) -> Prover:
        return NoProofs(student, StudentTokenizer.load(student, engine), cast(Vocabulary, None))

    return patch("seta_dag.tokens.row_settings.loaded", lru_cache(load))


def build(root: Path, out: OutputLayout, student: Student, proofs: bool) -> Merged:
    """Build both datasets, their cards and the ledger."""
    merged = merge_runs(root, "*", student.identity)
    write_merged(out.resume_chain, merged)
    tasks = list(merged.fingerprints)
    collect_tasks(out, root, merged, tasks)
    parse_tasks(out, root, merged, tasks)
    settings = RowSettings(student.name, student.identity, "fastokens")
    with nullcontext() if proofs else unproved():
        tokenize_tasks(out, root, merged, settings, tasks)
    write_ledger(out.ledger, account(out, merged, Filters()), Filters())
    lines = read_ledger(out.ledger)
    for variant in VARIANTS:
        write_shards(out, variant, lines, merged.fingerprints)
    for variant in VARIANTS if proofs else ():  # a card's numbers are read back from the shards
        write_card(out, variant, facts_of(out, root, merged, student, "*"), Prose(), "")
    return merged


def check(root: Path, out: OutputLayout, merged: Merged) -> None:
    """Read the written files back and check them, as seta_dag/defs/checks.py does."""
    lines = read_ledger(out.ledger)
    assert not failures(out, merged.fingerprints)
    assert not unaccounted(lines, count_by_run(root, "*"))
    for variant in VARIANTS:
        folder, facts = out.dataset(variant), out.shard_facts(variant)
        shards = read_shards(folder, facts)
        assert not wrong_schemas(folder)
        assert not wrong_rows(shards, lines, variant)
        assert not wrong_lengths(shards)
        assert not read_proofs(shards, OUTCOMES.built(out, merged.fingerprints), variant).unproved
        assert not check_card(folder, lines, facts, Filters())


def main() -> None:
    """Build, check, and print the number of tokens of both variants."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rollouts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--no-proofs", action="store_true")
    given = parser.parse_args()
    gc.set_threshold(100_000)  # as seta_dag/cli/build.py does
    out = OutputLayout(given.out)
    merged = build(given.rollouts, out, find_student(DEFAULT_STUDENT), proofs=not given.no_proofs)
    if not given.no_proofs:
        check(given.rollouts, out, merged)
    tokens = summarize(out, len(merged.fingerprints), len(merged.fingerprints), 0.0).tokens
    print(json.dumps({"tokens": sum(tokens.values())}))


if __name__ == "__main__":
    main()
