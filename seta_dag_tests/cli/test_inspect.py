"""`seta-dag inspect`."""

from __future__ import annotations

from pathlib import Path

from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import run


def test_inspect_prints_a_row_or_writes_an_html_page(place: Place, tmp_path: Path) -> None:
    shown = run("inspect", "a", "--out", place.out.root, "--variant", "nothink")
    assert shown.exit_code == 0 and "assistant" in shown.stdout
    page = tmp_path / "new" / "page.html"
    assert run("inspect", "a", "--out", place.out.root, "--html", page).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
