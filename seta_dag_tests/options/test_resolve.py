"""Where options come from, and in which order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.errors import ConfigError
from seta_dag.options.build_options import BuildOptions, keys
from seta_dag.options.resolve import resolve
from seta_dag.options.stored import store_options
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.student.student import DEFAULT_STUDENT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and no SETA_* variable."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SETA_")]:
        monkeypatch.delenv(name)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def stored(values: dict[str, Any], filters: dict[str, Any]) -> None:
    store_options(OutputLayout(Path("data/out")), BuildOptions(**values, filters=Filters(**filters)))


def test_without_any_source_options_are_the_defaults() -> None:
    out, options = resolve({})
    assert out.root == Path("data/out")
    assert options == BuildOptions(Path("data/rollouts"), "*", DEFAULT_STUDENT, Filters(), None)


SOURCES = ["given", "config", "environment", "stored"]


@pytest.mark.parametrize("n_sources", range(1, 5))
@pytest.mark.parametrize(("name", "value"), [("runs", "r{}"), ("student", "org/s{}"), ("min_reward", "0.{}")])
def test_first_source_that_has_an_option_wins(
    name: str, value: str, n_sources: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {source: value.format(n) for n, source in enumerate(SOURCES, 1)}
    kind: Any = float if name == "min_reward" else str
    present = SOURCES[-n_sources:]
    stored({} if name == "min_reward" else {name: values["stored"]}, {"min_reward": float("0.4")})
    if "environment" in present:
        monkeypatch.setenv(f"SETA_{name.upper()}", values["environment"])
    quoted = values["config"] if kind is float else f'"{values["config"]}"'
    config = write(folder / "c.toml", f"{name} = {quoted}") if "config" in present else None
    given = {name: kind(values["given"])} if "given" in present else {}
    _, options = resolve(given, config=config)
    found = options.filters.values[name] if name == "min_reward" else getattr(options, name)
    assert found == kind(values[present[0]])


def test_stored_filters_are_used_unless_the_command_brings_its_own() -> None:
    stored({"runs": "kimi*"}, {"max_tokens": 9, "drop_flag": ["log_skipped"]})
    with_them, without = resolve({})[1], resolve({}, stored_filters=False)[1]
    assert with_them.filters.values == {"drop_flag": ("log_skipped",), "max_tokens": 9}
    assert without.filters.values == {} and without.runs == "kimi*"


def test_output_directory_decides_which_stored_options_are_read(folder: Path) -> None:
    store_options(OutputLayout(folder / "one"), BuildOptions(runs="one*"))
    store_options(OutputLayout(folder / "two"), BuildOptions(runs="two*"))
    config = write(folder / "c.toml", 'out = "two"')
    assert resolve({"out": "one"})[1].runs == "one*"
    assert resolve({}, config=config)[1].runs == "two*"
    assert resolve({"out": "one"}, config=config)[1].runs == "one*"


def test_empty_string_takes_a_stored_card_back(folder: Path) -> None:
    stored({"card": folder / "card.toml"}, {})
    assert resolve({})[1].card == folder / "card.toml"
    assert resolve({"card": ""})[1].card is None


def test_paths_in_a_config_file_are_relative_to_it(folder: Path) -> None:
    (folder / "sub" / "models").mkdir(parents=True)
    text = 'rollouts = "mine"\nout = "o"\ncard = "c.toml"\nstudent = "models"'
    out, options = resolve({}, config=write(folder / "sub" / "c.toml", text))
    sub = folder / "sub"
    assert (out.root, options.rollouts, options.card) == (sub / "o", sub / "mine", sub / "c.toml")
    assert options.student == str(sub / "models")


def test_folder_of_a_student_has_one_name_from_everywhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "models").mkdir()
    here = resolve({"student": "models"})[1].student
    monkeypatch.chdir(folder / "models")
    assert resolve({"student": "../models"})[1].student == here == str(folder / "models")


def test_environment_reads_numbers_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETA_MAX_TOKENS", "300")
    monkeypatch.setenv("SETA_DROP_FLAG", "log_skipped, bad_content")
    monkeypatch.setenv("SETA_RUNS", "")
    _, options = resolve({})
    assert options.filters.values == {"drop_flag": ("bad_content", "log_skipped"), "max_tokens": 300}
    assert options.runs == "*"


CONFIGS = [
    ("min_reward = ", "not TOML"),
    ('minimum = "x"', "no option minimum; the options are rollouts, out, runs"),
    ("rollouts = 7", "rollouts must be a string"),
    ("min_reward = 7", "min_reward 7: a reward is a number"),
    ('drop_flag = ["nonsense"]', "drop_flag nonsense: not a flag"),
]


@pytest.mark.parametrize(("text", "sentence"), CONFIGS)
def test_config_file_that_cannot_be_used_is_refused(text: str, sentence: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        resolve({}, config=write(folder / "c.toml", text))


def test_config_file_that_is_missing_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        resolve({}, config=folder / "none.toml")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SETA_MIN_REWARD", "high", "SETA_MIN_REWARD high: give a number"),
        ("SETA_MAX_TOKENS", "1.5", "SETA_MAX_TOKENS 1.5: give a whole number"),
        ("SETA_DROP_FLAG", "nonsense", "drop_flag nonsense: not a flag"),
    ],
)
def test_variable_that_cannot_be_used_is_refused(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=sentence):
        resolve({})


def test_every_option_has_a_key() -> None:
    assert keys() == ["rollouts", "out", "runs", "student", "card", "redact",
                      "drop_flag", "min_reward", "max_tokens"]  # fmt: skip
