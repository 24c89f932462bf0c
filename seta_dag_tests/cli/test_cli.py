"""The command line: what it says, how it ends, and that no command ever ends in a traceback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from seta_dag.cli import main
from seta_dag.dataset.shards.reader import shard_paths
from seta_dag.executor.stage import TASK_STAGES
from seta_dag.store.atomic import remove
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import Place, open_instance, take
from seta_dag_tests.support.damage import FOLDER, LINES, SEEN
from seta_dag_tests.support.processes import BIN

TASKS = ("UPPER_Case__007", "a", "ctrf_empty_file")
"""Two of them give a row, the third has a report of no bytes."""
KEYS = {
    "out", "tasks", "tasks_rebuilt", "trials", "rows", "superseded", "dropped", "tokens", "trainable_tokens",
    "seconds",
}  # fmt: skip


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with open_instance(home):
        return home


@pytest.fixture(autouse=True)
def _alone(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests, and an instance of their own."""
    for name in ("SETA_ROLLOUTS", "SETA_OUT", "SETA_STUDENT", "SETA_CARD", "SETA_HUB_REPO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(_home))


def run(*arguments: object) -> Result:
    """Runs `seta-dag` in this process. It may end with an exit code, but never with another exception."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "Traceback" not in done.output and "[Errno" not in done.output
    return done


def build(place: Place, *options: object) -> Result:
    """`seta-dag build` of a place, with one line of JSON at its end."""
    return run("build", "--rollouts", place.rollouts, "--out", place.out.root, "--json", *options)


def summary(done: Result) -> dict[str, object]:
    """The last line as JSON."""
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def _built(_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("cli"))
    take(place.rollouts / "exp/kimi", *(f"{task}_t0" for task in TASKS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(_home))
        done = build(place)
    assert done.exit_code == 0, done.output
    assert summary(done)["tasks_rebuilt"] == len(TASKS)
    return place


@pytest.fixture
def place(_built: Place, tmp_path: Path) -> Place:
    """A copy of three tasks, built."""
    return _built.copy(tmp_path / "place")


def test_json_is_one_line_with_every_number(place: Place) -> None:
    done = build(place)
    said, lines = summary(done), place.ledger()
    rows = [line for line in lines if line["disposition"] == "row"]
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 1
    assert said.keys() == KEYS and said["seconds"] > 0
    del said["seconds"]
    assert said == {
        "out": str(place.out.root), "tasks": 3, "tasks_rebuilt": 0, "trials": 3, "superseded": 0,
        "rows": dict.fromkeys(VARIANTS, 2), "dropped": {"ctrf_invalid": 1},
        "tokens": {v: sum(row[f"{v}_tokens"] for row in rows) for v in VARIANTS},
        "trainable_tokens": {v: sum(row[f"{v}_trainable_tokens"] for row in rows) for v in VARIANTS},
    }  # fmt: skip


def test_a_person_is_told_the_same(place: Place) -> None:
    done = run("build", "--rollouts", place.rollouts, "--out", place.out.root)
    assert done.stdout.startswith("0 of 3 tasks rebuilt in ")
    assert "  dropped                1   ctrf_invalid 1\n" in done.stdout
    assert str(place.out.dataset("nothink")) in done.stdout


def test_the_console_script_ends_with_the_same_code(place: Place) -> None:
    done = subprocess.run(
        [BIN / "seta-dag", "ledger", "--out", place.out.root, "--reason", "nonsense"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("seta-dag: reason nonsense: not a reason; the reasons are bad_name, ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["", *main.commands])
def test_help_teaches(name: str) -> None:
    done = run(*([name] if name else []), "--help")
    command = main.commands[name] if name else main
    assert done.exit_code == 0 and command.help
    options = [one for one in command.params if isinstance(one, click.Option)]
    unhelpful = [one.name for one in options if not one.help and one.name != "variant" and one.name != "form"]
    assert unhelpful == []
    assert name or all(other in done.output for other in main.commands)


REFUSED: dict[str, tuple[list[str], str]] = {
    "a reward over 1": (["build", "--min-reward", "2"], "min_reward 2.0: a reward is a number from 0 to 1"),
    "no token": (["build", "--max-tokens", "0"], "max_tokens 0: give a whole number"),
    "no such rollouts": (["build", "--rollouts", "{root}/none"], "none: no such directory"),
    "no run": (["build", "--rollouts", "{root}/empty"], "empty: contains no runs"),
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
        "tag 'a b': use only letters, digits",
    ),
    "no such reason": (["ledger", "--reason", "x"], "reason x: not a reason; "),
    "no such trial": (["inspect", "zzz"], "zzz: no trial, task or trial directory"),
    "a trial without a row": (["inspect", "ctrf_empty_file"], "is no row; the ledger says:"),
    "no such dataset": (["verify", "{root}/none"], "none: no folder here"),
    "an option that is none": (["build", "--wat"], "No such option"),
    "an argument that is missing": (["inspect"], "Missing argument 'TRIAL'"),
}


def filled(arguments: list[str], place: Place, root: Path) -> list[str]:
    """The arguments with places in them; rollouts and OUT are those of `place`, unless they say otherwise."""
    named = [one.replace("{root}", str(root)).replace("{rollouts}", str(place.rollouts)) for one in arguments]
    given = {"--rollouts": place.rollouts, "--out": place.out.root}
    accepted = {option for one in main.commands[named[0]].params for option in one.opts}
    missing = [(name, str(path)) for name, path in given.items() if name in accepted and name not in named]
    return [named[0], *(part for pair in missing for part in pair), *named[1:]]


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


def test_a_build_without_a_row_is_1(tmp_path: Path) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", "ctrf_empty_file_t0")
    done = build(place)
    assert done.exit_code == 1 and summary(done)["rows"] == dict.fromkeys(VARIANTS, 0)


def test_ledger_shows_each_trial_and_only_those_asked_for(place: Place) -> None:
    every = run("ledger", "--out", place.out.root)
    assert every.exit_code == 0 and all(task in every.stdout for task in TASKS)
    some = run("ledger", "--out", place.out.root, "--reason", "ctrf_invalid")
    assert some.stdout.splitlines()[-1] == "1 trials" and "UPPER_Case" not in some.stdout


def test_inspect_shows_a_row_and_writes_a_page(place: Place, tmp_path: Path) -> None:
    shown = run("inspect", "a", "--out", place.out.root, "--variant", "nothink")
    assert shown.exit_code == 0 and "assistant" in shown.stdout
    page = tmp_path / "new" / "page.html"
    assert run("inspect", "a", "--out", place.out.root, "--html", page).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")


def test_export_and_verify_take_what_was_built(place: Place, tmp_path: Path) -> None:
    exported = run("export", tmp_path / "rows.jsonl", "--out", place.out.root)
    assert exported.exit_code == 0 and "2 rows of thinking" in exported.stdout
    verified = run("verify", place.out.dataset("thinking"))
    assert verified.exit_code == 0 and verified.stdout.endswith("2 equal, 0 explained, 0 unexplained\n")


def first(out: OutputLayout, task: str) -> Path:
    """The stage file of a task."""
    return next(path for path in out.stage("tokens").iterdir() if path.name.startswith(f"{task}-"))


@pytest.mark.parametrize("damage", ["a flipped bit", "cut"])
def test_the_next_build_heals_damaged_stages(damage: str, place: Place) -> None:
    visible = place.visible()
    for stage, task in zip(("trials", "ctrf"), TASKS[:2], strict=True):
        LINES[damage](place.out.journal(stage), f"{task}-")
    SEEN[damage](first(place.out, TASKS[2]))
    done = build(place)
    assert done.exit_code == 0 and summary(done)["tasks_rebuilt"] == 3
    assert place.visible() == visible


def test_a_build_of_one_task_leaves_damaged_others_out_until_the_next(place: Place) -> None:
    visible = place.visible()
    SEEN["a flipped bit"](first(place.out, TASKS[0]))
    done = build(place, "--task", "a")
    assert done.exit_code == 0 and summary(done)["dropped"] == {"not_built": 1, "ctrf_invalid": 1}
    assert summary(build(place))["tasks_rebuilt"] == 1
    assert place.visible() == visible


def shard(out: OutputLayout) -> Path:
    """The only shard of the thinking rows."""
    (path,) = shard_paths(out.dataset("thinking"))
    return path


MEMOS = ("thinking.shards", "thinking.facts", "nothink.finished")
LEFT: dict[str, Callable[[OutputLayout], list[Path]]] = {
    "what is seen": lambda out: [
        out.ledger, shard(out), out.dataset("nothink") / "README.md"
    ],
    "what is kept": lambda out: [
        out.resume_chain,
        *(out.journal(stage) for stage in TASK_STAGES),
        *(out.memo(name) for name in MEMOS),
    ],
}  # fmt: skip


@pytest.mark.parametrize("left", LEFT)
def test_the_next_build_heals_whatever_was_damaged(left: str, place: Place) -> None:
    visible = place.visible()
    for path in LEFT[left](place.out):
        SEEN["a list"](path)
    done = build(place)
    assert done.exit_code == 0, done.output
    assert place.visible() == visible


def test_what_stands_in_a_datasets_place_gives_way(place: Place) -> None:
    visible, moved = place.visible(), place.folder / "moved"
    place.out.dataset("thinking").rename(moved)
    place.out.dataset("thinking").symlink_to(moved)
    remove(place.out.dataset("nothink"))
    place.out.dataset("nothink").write_text("")
    (moved / "data" / "train-00000-of-00001.parquet").write_text("")
    done = build(place)
    assert done.exit_code == 0, done.output
    assert place.visible() == visible


REFUSED_PLACES: dict[str, tuple[str, bool, int]] = {
    "the stages are a file": ("stages", False, 1),
    "the ledger is a directory": ("ledger.parquet", True, 1),
    "a journal is a directory": ("stages/ctrf.journal", True, 1),
    "the lock is a directory": (".lock", True, 2),
}
"""(path below OUT, whether a directory is put there or a file, the exit code)"""


@pytest.mark.parametrize("case", REFUSED_PLACES)
def test_what_can_not_be_written_is_told(case: str, place: Place) -> None:
    name, is_directory, code = REFUSED_PLACES[case]
    path = place.out.root / name
    path.rename(place.folder / "moved")
    path.mkdir() if is_directory else path.write_text("")
    done = build(place)
    assert done.exit_code == code and f"{path}: can't be written (" in done.stderr


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
