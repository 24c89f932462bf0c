"""The commands of the README, run as they are in a copy of the repository, but for two that take too long."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seta_dag.cli import main
from seta_dag.options.build_options import keys
from seta_dag.rollouts.reasons import Flag, Reason

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
NOT_RUN = ("make test", "seta-dag ui")
FIGURES = re.compile(r"\d+\.\d s")


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.S)
    lines = [
        line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")
    ]
    return [line for line in lines if line not in NOT_RUN]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, with this environment as its .venv.

    Every file is older than the environment, so make installs nothing into it from here.
    """
    target = tmp_path_factory.mktemp("readme") / "seta_dag"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
        os.utime(target / name, (0, 0))
    (target / ".venv").symlink_to(Path(sys.prefix))
    return target


@pytest.fixture(scope="module")
def printed(checkout: Path) -> dict[str, str]:
    """What each command of the README prints, run one after the other in one shell's environment."""
    own = {"VIRTUAL_ENV": sys.prefix, "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SETA_", "DAGSTER_"))}
    output = {}
    for command in commands():
        done = subprocess.run(
            ["bash", "-c", command], cwd=checkout, env=kept | own, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        output[command] = done.stdout
    return output


def test_make_build_prints_what_the_readme_says(printed: dict[str, str]) -> None:
    (said,) = re.findall(r"ends with:\n\n```text\n(.*?)```", README, re.S)
    assert FIGURES.sub("# s", said) in FIGURES.sub("# s", printed["make build"])


def test_every_command_of_the_readme_is_run(printed: dict[str, str]) -> None:
    assert {"make build", "seta-dag verify data/out/thinking"} <= printed.keys()
    # Two rows have reasoning that is not in their own log.
    verified = printed["seta-dag verify data/out/thinking"].splitlines()
    assert verified[-1] == "92 equal, 2 explained, 0 unexplained"
    assert [line.split()[1:] for line in verified[:2]] == [["explained", "reasoning_from_other_log"]] * 2
    assert verified[2].split()[:2] == ["2", "reasoning_from_other_log:"] and len(verified) == 4


def test_the_python_of_the_readme_runs(printed: dict[str, str], checkout: Path) -> None:
    blocks = "".join(re.findall(r"```python\n(.*?)```", README, re.S))
    done = subprocess.run([sys.executable, "-c", blocks], cwd=checkout, capture_output=True, text=True)
    assert printed and done.returncode == 0, done.stderr


def test_folders_of_the_readme_exist(checkout: Path) -> None:
    named = re.findall(r"^(seta_dag/\w+/)", README, re.M)
    assert named == [f"seta_dag/{name}/" for name in ("rollouts", "tokens", "dataset", "hub", "defs")]
    assert all((checkout / folder).is_dir() for folder in named)


def table(head: str) -> dict[str, str]:
    """Return the rows of the README's table with that head."""
    (rows,) = re.findall(rf"^\| {head} \| meaning \|\n\|---\|---\|\n((?:\|.*\n)+)", README, re.M)
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", rows, re.M))


def test_tables_of_the_readme_are_the_enums() -> None:
    assert table("reason") == {reason: reason.meaning for reason in Reason}
    assert table("flag") == {flag: flag.meaning for flag in Flag}


def test_tables_of_the_rules_name_every_reason_and_flag_in_order() -> None:
    rules = (ROOT / "docs/rules.md").read_text("utf-8")
    named = re.findall(r"^\| `(\w+)` \|", rules, re.M)
    assert [name for name in named if name in set(Reason)] == list(Reason)
    assert {name for name in named if name in set(Flag)} == set(Flag)


def test_options_of_the_readme_are_those_of_the_command_line() -> None:
    rows = re.findall(r"^\| `(--[\w-]+)` \| `(\w+)` \| `(\w+)` \|", README, re.M)
    assert {key for _, key, _ in rows} == set(keys())
    assert all(variable == f"SETA_{key.upper()}" for _, key, variable in rows)
    offered = {option for parameter in main.commands["build"].params for option in parameter.opts}
    assert {option for option, _, _ in rows} <= offered


def links(path: Path) -> list[Path]:
    """Return the local files that a Markdown document links to."""
    found = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8"))
    return [path.parent / name for name in found]


DOCUMENTS = [
    "README.md",
    "examples/README.md",
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_of_the_documents_lead_somewhere(name: str) -> None:
    assert [str(link) for link in links(ROOT / name) if not link.exists()] == []


def test_every_rule_that_the_code_names_is_in_the_rules() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "seta_dag").rglob("*.py"))
    named = set(re.findall(r"\bR\d+\b", text))
    sections = set(re.findall(r"^## (R\d+)\.", (ROOT / "docs/rules.md").read_text("utf-8"), re.M))
    assert named and named <= sections == {f"R{n}" for n in range(1, 13)}


def test_modules_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    folders = "store|executor|rollouts|tokens|dataset|hub|options|defs|cli|loaders"
    named = re.findall(rf"\b((?:{folders})/[\w/.]*)", text)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "seta_dag" / name).exists()] == []
