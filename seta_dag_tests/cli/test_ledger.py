"""`seta-dag ledger`."""

from __future__ import annotations

from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import TASKS, run


def test_ledger_shows_every_trial_or_those_with_one_reason(place: Place) -> None:
    every = run("ledger", "--out", place.out.root)
    assert every.exit_code == 0 and all(task in every.stdout for task in TASKS)
    some = run("ledger", "--out", place.out.root, "--reason", "ctrf_invalid")
    assert some.stdout.splitlines()[-1] == "1 trials" and "UPPER_Case" not in some.stdout
