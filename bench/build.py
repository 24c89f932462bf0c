"""A build's CPU seconds with Dagster, against the same work by the library alone, in the same run.

    python bench/build.py ROLLOUTS

Each way is a process of its own, from its start to its end, with an empty output directory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from measured import SETA_DAG, measure, new_home

LIBRARY = """
import sys
from pathlib import Path
from seta_dag.dataset.account import account
from seta_dag.dataset.filters import Filters
from seta_dag.dataset.ledger import write_ledger
from seta_dag.dataset.rows import RowMaker
from seta_dag.dataset.shards import write_shards
from seta_dag.dataset.tokenize import tokenize_tasks
from seta_dag.hub.card_check import check_card
from seta_dag.hub.prose import Prose
from seta_dag.hub.write_card import facts_of, write_card
from seta_dag.out import Out
from seta_dag.rollouts.collect import collect_tasks
from seta_dag.rollouts.merged import merge_runs
from seta_dag.rollouts.reports import parse_tasks
from seta_dag.tokens.prove import Prover
from seta_dag.tokens.render import VARIANTS
from seta_dag.tokens.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer

root, out = Path(sys.argv[1]), Out(Path(sys.argv[2]))
student = find_student(DEFAULT_STUDENT)
merged = merge_runs(root, "*", student.identity)
tasks = list(merged.fingerprints)
collect_tasks(out, root, merged, tasks)
parse_tasks(out, root, merged, tasks)
maker = RowMaker(Prover.load(student, StudentTokenizer.load(student)), 0.05)
tokenize_tasks(out, root, merged, maker, tasks)
lines = account(out, merged, Filters())
write_ledger(out.ledger, lines, Filters())
for variant in VARIANTS:
    write_shards(out, variant, lines, merged.fingerprints)
    write_card(out, variant, facts_of(out, root, merged, student, "*"), Prose(), "")
    assert not check_card(out.dataset(variant), lines)
"""


def main() -> None:
    """Prints one line a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rollouts", type=Path)
    root = str(parser.parse_args().rollouts)
    with tempfile.TemporaryDirectory() as folder:
        out, home = Path(folder), new_home(Path(folder) / "home")
        graph = measure([SETA_DAG, "build", "--rollouts", root, "--out", str(out / "a")], home)
        alone = measure([sys.executable, "-c", LIBRARY, root, str(out / "b")], home)
    print(f"seta-dag build        {graph[0]:7.1f} CPU-s {graph[1]:7.1f} s")
    print(f"the library alone     {alone[0]:7.1f} CPU-s {alone[1]:7.1f} s")
    print(f"Dagster's share       {1 - alone[0] / graph[0]:7.0%}")


if __name__ == "__main__":
    main()
