"""Errors at the command line: one sentence and an exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import filled, run, shard
from seta_dag_tests.support.damage import FOLDER, SEEN

REFUSED: dict[str, tuple[list[str], str]] = {
    "a reward over 1": (["build", "--min-reward", "2"], "min_reward 2.0: a reward is a number from 0 to 1"),
    "no token": (["build", "--max-tokens", "0"], "max_tokens 0: give a whole number"),
    "no such rollouts": (["build", "--rollouts", "{root}/none"], "none: no such directory"),
    "no run": (["build", "--rollouts", "{root}/empty"], "empty: no run in it"),
    "no such glob": (["build", "--runs", "z*"], "none of its 1 runs matches 'z*'"),
    "no such task": (["build", "--task", "zzz"], "task zzz: it has no trial below"),
    "no such student": (["build", "--student", "{root}/empty"], "empty"),
    "no such card": (["build", "--card", "{root}/none.toml"], "none.toml"),
    "out below a file": (["build", "--out", "{root}/file/x"], "x: can't be written (Not a directory); give"),
    "out is a file": (
        ["build", "--out", "{root}/file"],
        "file: can't be written (File exists); give another",
    ),
    "out where nothing can be": (["build", "--out", "/proc/seta"], "/proc/seta: can't be written (No such"),
    "out in the rollouts": (["build", "--out", "{rollouts}/out"], "must not be inside one another"),
    "no variant in repo": (["publish", "--repo", "a/b", "--dry-run"], "write {variant} where"),
    "publish from nowhere": (
        ["publish", "--repo", "a/b-{variant}", "--dry-run", "--rollouts", "{root}/none"],
        "but the rollouts given are",
    ),
    "a tag that git refuses": (
        ["publish", "--repo", "a/b-{variant}", "--tag", "a b"],
        "tag 'a b': write letters, digits",
    ),
    "no such reason": (["ledger", "--reason", "x"], "reason x: not a reason; "),
    "no such trial": (["inspect", "zzz"], "zzz: no trial, task or trial directory"),
    "a trial without a row": (["inspect", "ctrf_empty_file"], "is no row; the ledger says:"),
    "no such dataset": (["verify", "{root}/none"], "none: no folder here"),
    "an option that is none": (["build", "--wat"], "No such option"),
    "an argument that is missing": (["inspect"], "Missing argument 'TRIAL'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_configuration_is_one_sentence_and_2(case: str, place: Place, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    arguments, sentence = REFUSED[case]
    visible = place.visible()
    done = run(*filled(arguments, place, tmp_path))
    assert done.exit_code == 2 and sentence in done.stderr and not done.stdout
    assert place.visible() == visible and (tmp_path / "file").read_text() == "mine"


NOT_BUILT = {
    "ledger": ["ledger"],
    "inspect": ["inspect", "a"],
    "export": ["export", "{root}/rows.jsonl"],
    "verify": ["verify", "{root}/empty"],
}


@pytest.mark.parametrize("command", NOT_BUILT)
def test_what_is_not_built_is_one_sentence_and_1(command: str, place: Place, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments = filled(NOT_BUILT[command], place, tmp_path)
    done = run(*(str(tmp_path / "empty") if one == str(place.out.root) else one for one in arguments))
    assert done.exit_code == 1 and done.stderr.startswith("seta-dag: ") and not done.stdout
    assert len(done.stderr.splitlines()) == 1


ODD: dict[str, tuple[Callable[[OutputLayout], object], list[str]]] = {
    "ledger: a directory": (lambda out: FOLDER(out.ledger), ["ledger"]),
    "ledger: cut": (lambda out: SEEN["cut"](out.ledger), ["ledger"]),
    "ledger: of foreign columns": (
        lambda out: pq.write_table(pq.read_table(out.ledger).drop_columns(["flags"]), out.ledger),
        ["ledger"],
    ),
    "inspect: a ledger that is cut": (lambda out: SEEN["cut"](out.ledger), ["inspect", "a"]),
    "inspect: a shard that is cut": (
        lambda out: SEEN["cut"](shard(out)),
        ["inspect", "a"],
    ),
    "inspect: a shard that is a directory": (
        lambda out: FOLDER(shard(out)),
        ["inspect", "a"],
    ),
    "inspect: no shard": (lambda out: shard(out).unlink(), ["inspect", "a"]),
    "inspect: a page where none can be": (lambda out: None, ["inspect", "a", "--html", "{root}/file/x"]),
    "export: no shard": (
        lambda out: shard(out).unlink(),
        ["export", "{root}/x.jsonl"],
    ),
    "export: to where none can be": (lambda out: None, ["export", "{root}/file/x"]),
    "verify: no shard": (
        lambda out: shard(out).unlink(),
        ["verify", "{out}/thinking"],
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_damaged_and_odd_paths_are_one_sentence_and_1(case: str, place: Place, tmp_path: Path) -> None:
    damage, arguments = ODD[case]
    damage(place.out)
    (tmp_path / "file").write_text("mine")
    named = [one.replace("{out}", str(place.out.root)) for one in arguments]
    done = run(*filled(named, place, tmp_path))
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("seta-dag: /") and (tmp_path / "file").read_text() == "mine"
