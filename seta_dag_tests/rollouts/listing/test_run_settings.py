"""Settings of the rollouts are read from the configuration files of their runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seta_dag.rollouts.listing.run_settings import rollout_settings

CONFIG = """
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
    """Create a run `x/run_<i>` per dict of file names and contents; return their paths."""
    runs = [f"x/run_{i}" for i in range(len(files))]
    for run, texts in zip(runs, files, strict=True):
        (root / run).mkdir(parents=True)
        for name, text in texts.items():
            (root / run / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return runs


@pytest.mark.parametrize("name", ["eval_config.yaml", "config.yaml"])
def test_all_settings_are_read_from_either_file(tmp_path: Path, name: str) -> None:
    assert rollout_settings(tmp_path, write_runs(tmp_path, {name: CONFIG})) == SETTINGS


CONFIGS: dict[str, tuple[list[dict[str, str | bytes]], dict[str, Any]]] = {
    "no run": ([], {}),
    "no file": ([{}], {}),
    "different values": (
        [{"config.yaml": "n_trajs: 1"}, {"config.yaml": "n_trajs: 4"}, {}],
        {"n_trajs": [1, 4]},
    ),
    "equal values": ([{"config.yaml": "n_trajs: 4"}, {"config.yaml": "n_trajs: 4"}], {"n_trajs": [4]}),
    "1 and true": ([{"config.yaml": "n_trajs: 1"}, {"config.yaml": "n_trajs: true"}], {"n_trajs": [1, True]}),
    "the first file wins": (
        [{"eval_config.yaml": "n_trajs: 2", "config.yaml": "n_trajs: 9\ndataset: d"}],
        {"dataset": ["d"], "n_trajs": [2]},
    ),
    "lists and objects": ([{"config.yaml": "n_trajs: [1, 2]\ndataset: {a: b}\nterminal_env: 7"}], {}),
    "null and a date": ([{"config.yaml": "n_trajs: null\ndataset: 2026-04-01"}], {}),
    "absolute path": ([{"config.yaml": "dataset: /home/me/tasks/v2/"}], {"dataset": ["v2"]}),
    "relative path": ([{"config.yaml": "dataset: org/tasks"}], {"dataset": ["org/tasks"]}),
    "lone surrogate": ([{"config.yaml": 'dataset: "x\\ud800"'}], {"dataset": ["x\ufffd"]}),
    "2**63 - 1": ([{"config.yaml": f"n_trajs: {2**63 - 1}"}], {"n_trajs": [2**63 - 1]}),
    "2**63": ([{"config.yaml": f"n_trajs: {2**63}"}], {}),
    "-(2**70)": ([{"config.yaml": f"n_trajs: {-(2**70)}"}], {}),
    "NaN": ([{"config.yaml": "n_trajs: .nan"}], {}),
    "infinity": ([{"config.yaml": "n_trajs: -.inf"}], {}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_each_distinct_value_is_returned_once(name: str, tmp_path: Path) -> None:
    files, settings = CONFIGS[name]
    found = rollout_settings(tmp_path, write_runs(tmp_path, *files))
    assert repr(found) == repr(settings)  # 1 == True, but they are different settings


@pytest.mark.parametrize(
    "damaged",
    [b"", b"- a\n- list\n", b"n_trajs: [1", b"\xff\xfe\x00", b"a: !!python/object:x.Y {}", b"!!int ''",
     b"!!bool x", b"!!timestamp x", b"a: 2026-13-45", b"? [a]: b", b"n_trajs: &a [*a]", b"[" * 1000, b"\x00"],
)  # fmt: skip
def test_damaged_file_is_ignored(tmp_path: Path, damaged: bytes) -> None:
    runs = write_runs(
        tmp_path, {"eval_config.yaml": damaged, "config.yaml": "n_trajs: 3"}, {"config.yaml": damaged}
    )
    assert rollout_settings(tmp_path, runs) == {"n_trajs": [3]}


def test_directory_instead_of_the_file_and_missing_run_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "run" / "config.yaml").mkdir(parents=True)
    assert rollout_settings(tmp_path, ["run", "gone"]) == {}
