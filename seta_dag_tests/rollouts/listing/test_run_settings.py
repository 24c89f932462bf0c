"""The settings of the rollouts, as far as the runs' configuration files hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seta_dag.rollouts.listing.run_settings import rollout_settings

WHOLE = """
dataset: seta-env-v2
n_trajs: 8
seed: 42
terminal_env:
  agent: {max_iteration: 30, max_total_tokens: 28672, max_completion_tokens: 4096, thinking: true}
  model:
    model_type: kimi-k2.5
    model_config_dict: {temperature: 0.6, stream: false}
"""
SETTINGS: dict[str, list[Any]] = {
    "dataset": ["seta-env-v2"],
    "n_trajs": [8],
    "model_type": ["kimi-k2.5"],
    "temperature": [0.6],
    "thinking": [True],
    "max_iteration": [30],
    "max_total_tokens": [28672],
    "max_completion_tokens": [4096],
}


def write_runs(root: Path, *files: dict[str, str | bytes]) -> list[str]:
    """One run for each dict of file names and their text, as `x/run_<i>`."""
    runs = [f"x/run_{i}" for i in range(len(files))]
    for run, texts in zip(runs, files, strict=True):
        (root / run).mkdir(parents=True)
        for name, text in texts.items():
            (root / run / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return runs


@pytest.mark.parametrize("name", ["eval_config.yaml", "config.yaml"])
def test_all_settings_are_read_from_either_file(tmp_path: Path, name: str) -> None:
    assert rollout_settings(tmp_path, write_runs(tmp_path, {name: WHOLE})) == SETTINGS


@pytest.mark.parametrize(
    ("files", "settings"),
    [
        ([], {}),
        ([{}], {}),
        ([{"config.yaml": "n_trajs: 1"}, {"config.yaml": "n_trajs: 4"}, {}], {"n_trajs": [1, 4]}),
        ([{"config.yaml": "n_trajs: 4"}, {"config.yaml": "n_trajs: 4"}], {"n_trajs": [4]}),
        ([{"config.yaml": "n_trajs: 1"}, {"config.yaml": "n_trajs: true"}], {"n_trajs": [1, True]}),
        (
            [{"eval_config.yaml": "n_trajs: 2", "config.yaml": "n_trajs: 9\ndataset: d"}],
            {"n_trajs": [2], "dataset": ["d"]},
        ),
        ([{"config.yaml": "n_trajs: [1, 2]\ndataset: {a: b}\nterminal_env: 7"}], {}),
        ([{"config.yaml": "n_trajs: null\ndataset: 2026-04-01"}], {}),
        ([{"config.yaml": "dataset: /home/me/tasks/v2/"}], {"dataset": ["v2"]}),
        ([{"config.yaml": "dataset: org/tasks"}], {"dataset": ["org/tasks"]}),
        ([{"config.yaml": 'dataset: "x\\ud800"'}], {"dataset": ["x\ufffd"]}),
        ([{"config.yaml": f"n_trajs: {2**63 - 1}"}], {"n_trajs": [2**63 - 1]}),
        *[([{"config.yaml": f"n_trajs: {n}"}], {}) for n in (2**63, -(2**70), ".nan", ".inf", "-.inf")],
    ],
)
def test_values_are_those_of_all_runs_each_once(
    tmp_path: Path, files: list[dict[str, str | bytes]], settings: dict[str, Any]
) -> None:
    found = rollout_settings(tmp_path, write_runs(tmp_path, *files))
    assert {name: repr(values) for name, values in found.items()} == {
        name: repr(values)
        for name, values in settings.items()  # 1 and True are equal, but not one setting
    }


@pytest.mark.parametrize(
    "damaged",
    [b"", b"- a\n- list\n", b"n_trajs: [1", b"\xff\xfe\x00", b"a: !!python/object:x.Y {}", b"!!int ''",
     b"!!bool x", b"!!timestamp x", b"a: 2026-13-45", b"? [a]: b", b"n_trajs: &a [*a]", b"[" * 1000, b"\x00"],
)  # fmt: skip
def test_a_damaged_file_is_passed_over(tmp_path: Path, damaged: bytes) -> None:
    runs = write_runs(
        tmp_path, {"eval_config.yaml": damaged, "config.yaml": "n_trajs: 3"}, {"config.yaml": damaged}
    )
    assert rollout_settings(tmp_path, runs) == {"n_trajs": [3]}


def test_a_directory_in_place_of_the_file_and_a_run_that_is_gone_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "run" / "config.yaml").mkdir(parents=True)
    assert rollout_settings(tmp_path, ["run", "gone"]) == {}
