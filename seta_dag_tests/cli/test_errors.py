"""Errors at the command line: one sentence and an exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import complete, only_shard, run
from seta_dag_tests.support.damage import FOLDER, SEEN

REFUSED: dict[str, tuple[list[str], str]] = {
    "reward above 1": (["build", "--min-reward", "2"], "min_reward 2.0: a reward is a number from 0 to 1"),
    "max tokens of 0": (["build", "--max-tokens", "0"], "max_tokens 0: give a whole number"),
    "missing rollouts": (["build", "--rollouts", "{root}/none"], "none: no such directory"),
    "rollouts without a run": (["build", "--rollouts", "{root}/empty"], "empty: contains no runs"),
    "glob without a match": (["build", "--runs", "z*"], "none of its 1 runs matches 'z*'"),
    "unknown task": (["build", "--task", "zzz"], "task zzz: it has no trial below"),
    "student folder without a tokenizer": (["build", "--student", "{root}/empty"], "empty"),
    "missing card file": (["build", "--card", "{root}/none.toml"], "none.toml"),
    "out inside a file": (
        ["build", "--out", "{root}/file/x"],
        "x: cannot be written (Not a directory); give",
    ),
    "out is a file": (
        ["build", "--out", "{root}/file"],
        "file: cannot be written (File exists); give another",
    ),
    "out inside the rollouts": (["build", "--out", "{rollouts}/out"], "must not be inside one another"),
    "repo without {variant}": (["publish", "--repo", "a/b", "--dry-run"], "write {variant} where"),
    "publish from missing rollouts": (
        ["publish", "--repo", "a/b-{variant}", "--dry-run", "--rollouts", "{root}/none"],
        "but the rollouts given are",
    ),
    "tag that git refuses": (
        ["publish", "--repo", "a/b-{variant}", "--tag", "a b"],
        "tag 'a b': use only letters, digits",
    ),
    "unknown reason": (["ledger", "--reason", "x"], "reason x: not a reason; "),
    "unknown trial": (["inspect", "zzz"], "zzz: no trial, task or trial directory"),
    "trial without a row": (["inspect", "ctrf_empty_file"], "has no row; the ledger says:"),
    "missing dataset": (["verify", "{root}/none"], "none: no folder here"),
    "unknown option": (["build", "--wat"], "No such option"),
    "missing argument": (["inspect"], "Missing argument 'TRIAL'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_configuration_is_one_sentence_and_exit_code_2(case: str, place: Place, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    arguments, sentence = REFUSED[case]
    visible = place.visible()
    done = run(*complete(arguments, place, tmp_path))
    assert done.exit_code == 2 and sentence in done.stderr and not done.stdout
    assert place.visible() == visible and (tmp_path / "file").read_text() == "mine"


NOT_BUILT = {
    "ledger": ["ledger"],
    "inspect": ["inspect", "a"],
    "export": ["export", "{root}/rows.jsonl"],
    "verify": ["verify", "{root}/empty"],
}


@pytest.mark.parametrize("command", NOT_BUILT)
def test_missing_build_is_one_sentence_and_exit_code_1(command: str, place: Place, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments = complete(NOT_BUILT[command], place, tmp_path)
    done = run(*(str(tmp_path / "empty") if one == str(place.out.root) else one for one in arguments))
    assert done.exit_code == 1 and done.stderr.startswith("seta-dag: ") and not done.stdout
    assert len(done.stderr.splitlines()) == 1


UNUSABLE: dict[str, tuple[Callable[[OutputLayout], object], list[str]]] = {
    "ledger is a directory": (lambda out: FOLDER(out.ledger), ["ledger"]),
    "ledger is truncated": (lambda out: SEEN["cut"](out.ledger), ["ledger"]),
    "ledger lacks a column": (
        lambda out: pq.write_table(pq.read_table(out.ledger).drop_columns(["flags"]), out.ledger),
        ["ledger"],
    ),
    "inspect with a truncated ledger": (lambda out: SEEN["cut"](out.ledger), ["inspect", "a"]),
    "inspect with a truncated shard": (
        lambda out: SEEN["cut"](only_shard(out)),
        ["inspect", "a"],
    ),
    "inspect with a directory as shard": (
        lambda out: FOLDER(only_shard(out)),
        ["inspect", "a"],
    ),
    "inspect without a shard": (lambda out: only_shard(out).unlink(), ["inspect", "a"]),
    "inspect writes inside a file": (lambda out: None, ["inspect", "a", "--html", "{root}/file/x"]),
    "export without a shard": (
        lambda out: only_shard(out).unlink(),
        ["export", "{root}/x.jsonl"],
    ),
    "export writes inside a file": (lambda out: None, ["export", "{root}/file/x.jsonl"]),
    "verify without a shard": (
        lambda out: only_shard(out).unlink(),
        ["verify", "{out}/thinking"],
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_file_is_one_sentence_and_exit_code_1(case: str, place: Place, tmp_path: Path) -> None:
    damage, arguments = UNUSABLE[case]
    damage(place.out)
    (tmp_path / "file").write_text("mine")
    named = [one.replace("{out}", str(place.out.root)) for one in arguments]
    done = run(*complete(named, place, tmp_path))
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("seta-dag: /") and (tmp_path / "file").read_text() == "mine"
