"""Progress of a build: a bar in a terminal, lines elsewhere."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from seta_dag.cli import progress
from seta_dag.cli.progress import Display
from seta_dag.defs.build.progress import PROGRESS
from seta_dag_tests.support.builds import Place

SETA_DAG = Path(sys.executable).with_name("seta-dag")


def step(done: int, total: int) -> dict[str, object]:
    return {"stage": "tokens", "done": done, "total": total, "unit": "tasks"}


def test_without_a_terminal_a_line_follows_after_one_second_then_every_five(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    file = io.StringIO()
    display = Display(Console(file=file))
    PROGRESS.addHandler(display)
    try:
        display._start("tokens")
        for done in range(1, 121):
            now.seconds += 0.125
            PROGRESS.info("tokens", extra=step(done, 200))
    finally:
        PROGRESS.removeHandler(display)
        display.stop()
    assert [line.strip() for line in file.getvalue().splitlines() if line.strip()] == [
        "tokens: 8 of 200 tasks",
        "tokens: 48 of 200 tasks, 8 per second, 19 s left",
        "tokens: 88 of 200 tasks, 8 per second, 14 s left",
    ]


def build(place: Place, stderr: int) -> subprocess.Popen[bytes]:
    command = [SETA_DAG, "build", "--full", "--rollouts", place.rollouts, "--out", place.out.root]
    env = os.environ | {"TERM": "xterm", "TZ": "UTC"}
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=stderr, env=env)


def read_terminal(master: int) -> str:
    """Return everything written to a terminal until it is closed."""
    data = b""
    while True:
        try:
            part = os.read(master, 1 << 16)
        except OSError:  # Linux reports a terminal that nobody has open any more as an error
            return data.decode()
        if not part:
            return data.decode()
        data += part


def test_terminal_shows_a_bar_and_a_line_per_stage(place: Place) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    process = build(place, slave)
    os.close(slave)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", read_terminal(master))
    assert process.wait() == 0, text
    tasks = len(place.tasks())
    assert f"{tasks} of {tasks} tasks to build" in text
    assert re.search(rf"tokens ━+.* {tasks}/{tasks} tasks, [0-9,]+ per second", text), text
    assert "✓ tokens" in text and "✓ thinking_card" in text


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_unwritable_standard_error_does_not_stop_a_build(stderr: str, place: Place) -> None:
    command = f"{SETA_DAG} build --rollouts {place.rollouts} --out {place.out.root} {stderr}"
    done = subprocess.run(["bash", "-c", command], check=False, stdout=subprocess.PIPE)
    assert done.returncode == 0 and b"tasks rebuilt" in done.stdout


def test_path_is_neither_wrapped_nor_read_as_markup() -> None:
    file = io.StringIO()
    display = Display(Console(file=file, width=20))
    display.say("looking in /a[red]/b[/c]/a very long folder")
    assert file.getvalue() == "  looking in /a[red]/b[/c]/a very long folder\n"


def test_pipe_gets_lines_without_a_bar(place: Place) -> None:
    process = build(place, subprocess.PIPE)
    assert process.stderr is not None
    text = process.stderr.read().decode()
    assert process.wait() == 0, text
    assert "looking for new and changed trials in" in text.splitlines()[0]
    assert "✓ tokens" in text and "━" not in text and "\x1b" not in text
