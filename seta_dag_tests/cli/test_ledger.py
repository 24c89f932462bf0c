"""`seta-dag ledger`."""

from __future__ import annotations

import json
from dataclasses import replace

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import write_ledger
from seta_dag.rollouts.reasons import Flag
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import TASKS, run


def test_ledger_shows_every_trial_or_those_with_one_reason(place: Place) -> None:
    every = run("ledger", "--out", place.out.root)
    assert every.exit_code == 0 and all(task in every.stdout for task in TASKS)
    some = run("ledger", "--out", place.out.root, "--reason", "ctrf_invalid")
    assert some.stdout.splitlines()[-1] == "1 trial" and "UPPER_Case" not in some.stdout


def test_ledger_shows_the_trials_with_a_flag(place: Place) -> None:
    lines = [replace(line, flags=("cut_short",)) if line.task_id == "a" else line for line in place.ledger()]
    write_ledger(place.out.ledger, lines, Filters())
    some = run("ledger", "--out", place.out.root, "--flag", "cut_short")
    assert some.exit_code == 0 and some.stdout.splitlines()[-1] == "1 trial"
    assert any(line.startswith("a_t0") for line in map(str.strip, some.stdout.splitlines()))
    none = run("ledger", "--out", place.out.root, "--flag", "cut_short", "--reason", "ctrf_invalid")
    assert none.stdout.splitlines()[-1] == "0 trials"
    other = run("ledger", "--out", place.out.root, "--flag", "bad_content")
    assert other.stdout.splitlines()[-1] == "0 trials"


def test_an_unknown_flag_is_answered_with_all_flags(place: Place) -> None:
    done = run("ledger", "--out", place.out.root, "--flag", "cut_shorter")
    assert done.exit_code == 2
    assert done.stderr == f"seta-dag: flag cut_shorter: not a flag; the flags are {', '.join(Flag)}\n"


def test_ledger_shows_the_trials_of_a_task_or_a_run(place: Place) -> None:
    task = run("ledger", "--out", place.out.root, "--task", "a")
    assert task.stdout.splitlines()[-1] == "1 trial"
    for name in ("exp/kimi", "kimi"):
        assert run("ledger", "--out", place.out.root, "--run", name).stdout.splitlines()[-1] == "3 trials"
    assert run("ledger", "--out", place.out.root, "--run", "other").stdout.splitlines()[-1] == "0 trials"


def test_ledger_gives_data_for_programs(place: Place) -> None:
    lines = run("ledger", "--out", place.out.root, "--json").stdout.splitlines()
    assert {json.loads(line)["task_id"] for line in lines} == set(TASKS)
    assert run("ledger", "--out", place.out.root, "--csv").stdout.count("\n") == len(TASKS) + 1
    assert "mean reward" in run("ledger", "--out", place.out.root, "--summary").stdout
    assert run("ledger", "--out", place.out.root, "--json", "--task", "none").stdout == ""
