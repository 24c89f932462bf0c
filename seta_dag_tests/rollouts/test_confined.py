"""Nothing outside of a trial, or of a run, is read; the ledger says what was left out."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from seta_dag.hub.card.parse import parse_card
from seta_dag.rollouts.confined import is_outside, read_within
from seta_dag.rollouts.json_reader import UnreadableError
from seta_dag.rollouts.listing.links_out import links_out
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.conversations import FOLDER, assistant, log, logged, user
from seta_dag_tests.support.rollouts import report, write_trial

SECRET = "only-outside"
RUN, TRIAL, OTHER = "exp/X", "exp/X/trials/task_t0_ab", "exp/X/trials/other_t0_ab"
NAME = "conv_20261122_121343_000001.json"
LATER = "conv_20261122_121343_000002.json"
OUTSIDE: dict[str, str] = {
    "log": logged(log(user(SECRET), assistant("a"), answer=assistant("b"))).decode(),
    "report": report(2, 2),
    "info": json.dumps({"agent_summary": {"termination_reason": SECRET}}),
    "settings": f"dataset: {SECRET}\n",
    "traceback": f"Traceback (most recent call last):\nValueError: {SECRET}\n",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two verified trials with one log each, and a folder next to the rollouts with one file of each kind."""
    place = Place(tmp_path)
    for path in (TRIAL, OTHER):
        write_trial(place.rollouts, path, info={"agent_summary": {"termination_reason": "inside"}})
    outside = tmp_path / "outside"
    (outside / "logs" / FOLDER).mkdir(parents=True)
    (outside / "logs" / FOLDER / LATER).write_text(OUTSIDE["log"])
    for name, text in OUTSIDE.items():
        (outside / name).write_text(text)
    (outside / "verifier").mkdir()
    (outside / "verifier/ctrf.json").write_text(OUTSIDE["report"])
    (outside / "failed").mkdir()
    (outside / "failed" / "gone.txt").write_text(OUTSIDE["traceback"])
    return place


def link(place: Place, path: str, target: str) -> None:
    """Replace what is at `path` below the rollouts by a link to `target` in the outside folder."""
    at = place.rollouts / path
    if at.is_dir():
        shutil.rmtree(at)
    at.unlink(missing_ok=True)
    at.parent.mkdir(exist_ok=True)
    at.symlink_to(place.folder / "outside" / target)


LINKS: dict[str, tuple[str, str, tuple[str, str | None, str]]] = {
    "a later log": (f"{TRIAL}/CAMEL_LOG_DIR/{FOLDER}/{LATER}", "log", ("row", None, "link_not_followed")),
    "the only log": (f"{TRIAL}/CAMEL_LOG_DIR/{FOLDER}/{NAME}", "log",
                     ("dropped", "no_conversation", f"{NAME}: a link that leads out of the trial")),
    "a directory of logs": (f"{TRIAL}/CAMEL_LOG_DIR/{FOLDER}", f"logs/{FOLDER}",
                            ("dropped", "no_conversation", f"{FOLDER}: a link that leads out of the trial")),
    "another directory of logs": (f"{TRIAL}/CAMEL_LOG_DIR/x", f"logs/{FOLDER}",
                                  ("row", None, "link_not_followed")),
    "CAMEL_LOG_DIR": (f"{TRIAL}/CAMEL_LOG_DIR", "logs",
                      ("dropped", "no_conversation", "CAMEL_LOG_DIR: a link that leads out of the trial")),
    "the report": (f"{TRIAL}/verifier/ctrf.json", "report",
                   ("dropped", "ctrf_invalid", "verifier/ctrf.json: a link that leads out of the trial")),
    "verifier/": (f"{TRIAL}/verifier", "verifier",
                  ("dropped", "ctrf_invalid", "verifier/ctrf.json: a link that leads out of the trial")),
    "run_info.json": (f"{TRIAL}/run_info.json", "info", ("row", None, "link_not_followed")),
}  # fmt: skip


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def written(place: Place) -> bytes:
    """Return all bytes that a build wrote, uncompressed where that matters: the ledger's lines and cards."""
    texts = [str(place.ledger()).encode(), *(path.read_bytes() for path in place.out.root.rglob("*.md"))]
    return b"".join([*texts, *(path.read_bytes() for path in place.out.pieces.iterdir())])


def test_links_out_of_trials_are_not_followed_and_the_ledger_says_so(
    place: Place, instance: dg.DagsterInstance
) -> None:
    """One build of a trial per case, each with its own link, next to one without."""
    for number, (path, target, _) in enumerate(LINKS.values()):
        trial = f"{RUN}/trials/case{number}_t0_ab"
        shutil.copytree(place.rollouts / TRIAL, place.rollouts / trial)
        link(place, path.replace(TRIAL, trial), target)
    assert not place.build(instance).failures
    lines = {line.task_id: line for line in place.ledger()}
    assert lines["other"].disposition == "row" and not lines["other"].flags
    for number, (case, (_, _, (disposition, reason, says))) in enumerate(LINKS.items()):
        line = lines[f"case{number}"]
        assert (line.disposition, line.reason) == (disposition, reason), case
        assert says in (line.detail or "") or says in line.flags, case
    assert SECRET.encode() not in written(place)


def test_links_of_a_run_are_not_followed(place: Place, instance: dg.DagsterInstance) -> None:
    link(place, f"{RUN}/eval_config.yaml", "settings")
    link(place, f"{RUN}/failed/gone.txt", "traceback")
    write_trial(place.rollouts, "exp/Y/trials/task_t0_ab")
    link(place, "exp/Y/failed", "failed")
    assert not place.build(instance).failures
    (failed,) = (line for line in place.ledger() if line.reason == "rollout_failed")
    assert (failed.task_id, failed.detail) == ("gone", "failed/gone.txt: a link that leads out of the run")
    card = parse_card((place.out.dataset("thinking") / "README.md").read_text())
    assert not card.tables.get("Rollouts")
    assert SECRET.encode() not in written(place)
    assert links_out(place.rollouts, ["exp/X", "exp/Y"]) == ["exp/X/eval_config.yaml", "exp/Y/failed"]


def test_links_to_runs_and_trials_and_within_a_trial_are_followed(
    place: Place, instance: dg.DagsterInstance
) -> None:
    away = place.folder / "away"
    shutil.move(place.rollouts / TRIAL, away)
    (place.rollouts / TRIAL).symlink_to(away)
    logs = away / "CAMEL_LOG_DIR" / FOLDER
    (logs / NAME).rename(away / "kept.json")
    (logs / NAME).symlink_to("../../kept.json")
    shutil.move(place.rollouts / "exp", place.folder / "elsewhere")
    (place.rollouts / "exp").symlink_to(place.folder / "elsewhere")
    assert not place.build(instance).failures
    assert [(line.disposition, line.flags) for line in place.ledger()] == [("row", ())] * 2


def test_a_link_that_appears_or_changes_its_target_rebuilds_the_task(
    place: Place, instance: dg.DagsterInstance
) -> None:
    assert not place.build(instance).failures
    for path, target in [(f"{TRIAL}/run_info.json", "info"), (f"{TRIAL}/verifier/ctrf.json", "report")]:
        link(place, path, target)
        assert place.build(instance).rebuilt == 1
        assert place.build(instance).rebuilt == 0
    # What is outside does not matter any more, whether it changes or not.
    (place.folder / "outside" / "report").write_text("changed")
    assert place.build(instance).rebuilt == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, "not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "leads out"),
        (lambda path: path.symlink_to("/proc/self/status"), "leads out"),
        (lambda path: path.symlink_to(path), "leads nowhere"),
        (lambda path: path.symlink_to("../../../../etc/passwd"), "leads out"),
        (lambda path: path.symlink_to("b/../../c"), "leads out"),
    ],
    ids=["a pipe", "a device", "proc", "a loop", "a relative link", "a link with dots"],
)
def test_what_is_no_file_of_the_trial_is_not_read(
    make: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    (tmp_path / "trial" / "b").mkdir(parents=True)
    make(tmp_path / "trial" / "a")
    with pytest.raises(UnreadableError, match=says):
        read_within(str(tmp_path / "trial"), "a")


def test_a_chain_of_links_is_followed_to_its_end(tmp_path: Path) -> None:
    trial = tmp_path / "trial"
    (trial / "inner").mkdir(parents=True)
    (trial / "inner" / "file").write_text("x")
    (trial / "one").symlink_to("two")
    (trial / "two").symlink_to("inner")
    (trial / "three").symlink_to("../trial/one")
    (trial / "sibling").symlink_to(tmp_path / "trial-2")  # whose name begins like the trial's
    assert read_within(str(trial), "three/file") == b"x"
    assert not is_outside(str(trial), "inner/file") and is_outside(str(trial), "sibling/file")


def test_a_file_that_has_no_size_on_a_disk_is_not_read() -> None:
    with pytest.raises(UnreadableError, match="not a file on a disk"):
        read_within("/proc/self", "status")
