"""`seta-dag export` and `seta-dag verify`."""

from __future__ import annotations

from pathlib import Path

from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import run


def test_export_and_verify_take_what_was_built(place: Place, tmp_path: Path) -> None:
    exported = run("export", tmp_path / "rows.jsonl", "--out", place.out.root)
    assert exported.exit_code == 0 and "2 rows of thinking" in exported.stdout
    verified = run("verify", place.out.dataset("thinking"))
    assert verified.exit_code == 0 and verified.stdout.endswith("2 equal, 0 explained, 0 unexplained\n")
