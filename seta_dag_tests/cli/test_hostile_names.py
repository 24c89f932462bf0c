"""Nothing that a rollout, an argument or a setting says reaches the terminal as anything but text."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag_tests.support.builds import REPOSITORY, Place
from seta_dag_tests.support.command_line import run
from seta_dag_tests.support.conversations import assistant, log, logged, user
from seta_dag_tests.support.processes import environment
from seta_dag_tests.support.rollouts import write_trial

EVIL = "\x1b[31mred\x1b[0m\x1b]8;;http://x\x07link\x1b]8;;\x07\x9b1m\u202egnol\u2066[bold]:x:"
TASK = f"task{EVIL}".replace("/", "|")
_OURS = re.compile(r"\x1b\[[0-9;]*m")
"""Colours that rich writes to a terminal."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A build of trials whose names, messages, model and failures try to reach the terminal."""
    place = Place(tmp_path_factory.mktemp("hostile"))
    run_name = f"exp/run{EVIL}".replace("http://x", "x")
    names = (f"{TASK}_t0_ab", f"{TASK}_t1_ab", f"other{EVIL}_t0_ab", f"bad{EVIL}")
    for name in names:
        trial = write_trial(place.rollouts, f"{run_name}/trials/{name.replace('/', '|')}")
        document = log(user(EVIL), assistant(EVIL, EVIL), answer=assistant(EVIL, EVIL))
        document["model"] = EVIL
        document["request"]["messages"].append({"role": f"r{EVIL}", "content": EVIL})
        (found,) = trial.rglob("conv_*.json")
        found.write_bytes(logged(document))
        (found.parent / f"conv_1{EVIL}.json".replace("/", "|")).write_text("{")
    failed = place.rollouts / run_name / "failed"
    failed.mkdir()
    (failed / f"gone{EVIL}.txt".replace("/", "|")).write_text(f"ValueError: {EVIL}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("home")))
        done = run("build", "--rollouts", place.rollouts, "--out", place.out.root)
    assert done.exit_code == 0, done.output
    assert_is_text(done.output)
    return place


def assert_is_text(output: str) -> None:
    """Fail if a control character, a mark of direction or an emoji gets out."""
    found = {char for char in output if not char.isprintable() and char not in "\n\t"}
    assert not found, (found, output)
    assert "❌" not in output


COMMANDS: dict[str, Callable[[Place], list[str]]] = {
    "ledger": lambda place: ["ledger"],
    "ledger of a task": lambda place: ["ledger", "--task", TASK],
    "ledger --summary": lambda place: ["ledger", "--summary"],
    "ledger --json": lambda place: ["ledger", "--json"],
    "ledger --csv": lambda place: ["ledger", "--csv"],
    "ledger of an unknown reason": lambda place: ["ledger", "--reason", EVIL],
    "inspect": lambda place: ["inspect", f"other{EVIL}".replace("/", "|")],
    "inspect of several": lambda place: ["inspect", TASK],
    "inspect of nothing": lambda place: ["inspect", EVIL],
    "verify": lambda place: ["verify", str(place.out.dataset("thinking"))],
    "verify of nothing": lambda place: ["verify", EVIL],
    "publish --dry-run": lambda place: ["publish", "--repo", "a/b-{variant}", "--dry-run", "--no-instance"],
    "publish to nowhere": lambda place: ["publish", "--repo", EVIL, "--dry-run", "--no-instance"],
    "build of nothing": lambda place: ["build", "--rollouts", EVIL],
    "build of no task": lambda place: ["build", "--task", EVIL],
    "build of no student": lambda place: ["build", "--student", EVIL],
    "build with no number": lambda place: ["build", "--min-reward", EVIL],
    "no such option": lambda place: ["build", f"--{EVIL}"],
    "no such command": lambda place: [EVIL],
    "export": lambda place: ["export", str(place.folder / f"{EVIL}.jsonl".replace("/", "|"))],
}


def arguments(place: Place, name: str) -> list[str]:
    given = COMMANDS[name](place)
    has_out = given[0] in ("ledger", "inspect", "publish", "build", "export")
    return [*given, "--out", str(place.out.root)] if has_out else given


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_only_text(name: str, hostile: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody answers there
    monkeypatch.setattr("seta_dag.hub.client.PAUSES", ())
    done = run(*arguments(hostile, name))
    assert done.output
    assert_is_text(done.output)


def test_json_and_csv_keep_the_names(hostile: Place) -> None:
    lines = [
        json.loads(line) for line in run("ledger", "--json", "--out", hostile.out.root).stdout.splitlines()
    ]
    assert {line["task_id"] for line in lines} >= {TASK}
    assert len(run("ledger", "--csv", "--out", hostile.out.root).stdout.splitlines()) == len(lines) + 1


@pytest.mark.parametrize("name", ["ledger", "inspect"])
def test_a_terminal_gets_no_other_escapes_than_our_colours(name: str, hostile: Place) -> None:
    driver, terminal = pty.openpty()
    command = [sys.executable, "-c", "from seta_dag.cli import main; main()", *arguments(hostile, name)]
    settings = environment(hostile, None, TERM="xterm-256color", COLUMNS="100", LINES="40")
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=settings, cwd=REPOSITORY) as process:
        os.close(terminal)
        output = b"".join(iter(lambda: _read(driver), b"")).decode()
    os.close(driver)
    assert process.returncode == 0, output
    assert_is_text(_OURS.sub("", output).replace("\r\n", "\n"))


def _read(driver: int) -> bytes:
    try:
        return os.read(driver, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_page_escapes_everything(hostile: Place, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run(*arguments(hostile, "inspect"), "--html", page)
    assert done.exit_code == 0
    assert_is_text(page.read_text())
