"""Ctrl-C in a terminal, which reaches every process of a build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from seta_dag_tests.support.builds import SAMPLE, Place
from seta_dag_tests.support.processes import environment, wait_until

MOMENTS = {
    "in a stage": "resume_chain",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_build_says_so_in_one_line_and_leaves_no_process(moment: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.rollouts.symlink_to(SAMPLE)
    output = tmp_path / "output"
    with output.open("w") as file:
        build = subprocess.Popen(
            [sys.executable, "-c", "from seta_dag.cli import main; main(['build'])"],
            env=environment(place, None, SETA_WORKERS="2"),
            cwd=tmp_path,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        assert wait_until(lambda: MOMENTS[moment] in output.read_text(), lambda: build.poll() is None)
        os.killpg(build.pid, signal.SIGINT)
        assert build.wait(60) == 1
    finally:
        build.kill()
    text = output.read_text()
    assert "Traceback" not in text
    assert text.splitlines()[-1] == "seta-dag: interrupted; the same command continues from here"
    assert wait_until(lambda: not _left(build.pid), lambda: True)


def _left(session: int) -> list[int]:
    """Return the processes of a session that are still there."""
    return [pid for pid in psutil.pids() if _session(pid) == session]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
