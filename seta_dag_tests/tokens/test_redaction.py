"""`build --redact`: secrets in logs are replaced, and trials with secrets in their text are dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.defs.build.build import BuildResult
from seta_dag.hub.secret_gate import scan
from seta_dag.options.stored import read_options
from seta_dag.tokens.redaction import redact
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.conversations import assistant, log, logged, user
from seta_dag_tests.support.rollouts import write_trial
from seta_dag_tests.support.secrets_made_up import KINDS

PASSWORD = "Hunt" + "er2-letters"


def with_config(config: dict[str, Any], content: str = "List.") -> bytes:
    """Return the bytes of a log whose model call had this configuration."""
    document = log(user(content), answer=assistant("Done.", "Good."))
    document["request"]["model_config_dict"] = config
    return logged(document)


def overwrite(place: Place, path: str, data: bytes) -> None:
    """Write the only log of a trial."""
    (target,) = write_trial(place.rollouts, path).rglob("conv_*.json")
    target.write_bytes(data)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Three trials: one without a secret, one with some in its log alone, one with one in its text."""
    place = Place(tmp_path)
    write_trial(place.rollouts, "X/trials/clean_t0_ab")
    headers = {"Authorization": f"Bearer {PASSWORD}", "X-Note": KINDS["private-key"]()}
    overwrite(place, "X/trials/log_t0_ab", with_config({"api_key": PASSWORD, "extra_headers": headers}))
    overwrite(place, "X/trials/text_t0_ab", with_config({}, f"Use {KINDS['github-pat']()} here."))
    return place


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def build(place: Place, instance: dg.DagsterInstance, redact: bool) -> BuildResult:
    from seta_dag.definitions import code_location
    from seta_dag.defs.build.build import build as run_build
    from seta_dag.defs.build.build import planned

    request = place.request()
    request = replace(request, options=replace(request.options, redact=redact))
    with planned(request, lambda: None) as plan:
        return run_build(code_location(), instance, request, plan)


def test_a_redacted_build_holds_no_secret(place: Place, instance: dg.DagsterInstance) -> None:
    assert not build(place, instance, redact=True).failures
    found = {line.task_id: (line.disposition, line.reason, line.flags) for line in place.ledger()}
    assert found == {
        "clean": ("row", None, ()),
        "log": ("row", None, ("redacted",)),
        "text": ("dropped", "secret", ("redacted",)),
    }
    for variant in ("thinking", "nothink"):
        folder = place.out.dataset(variant)
        assert not scan(folder).blocking
        logs = [
            one for path in shard_paths(folder) for one in pq.read_table(path)["raw_conv_json"].to_pylist()
        ]
        config = json.loads(logs[1])["request"]["model_config_dict"]
        assert config["api_key"] == "[REDACTED:credential-field]"
        assert config["extra_headers"]["X-Note"] == "[REDACTED:private-key]"
        card = (folder / "README.md").read_text()
        assert "| secrets in the logs | replaced |" in card and "`[REDACTED:KIND]`" in card


def test_switching_redaction_rebuilds_the_tasks_and_out_keeps_it(
    place: Place, instance: dg.DagsterInstance
) -> None:
    assert not build(place, instance, redact=False).failures
    plain = place.visible()
    assert build(place, instance, redact=True).rebuilt == 3
    options = read_options(place.out)
    assert options is not None and options.redact
    assert build(place, instance, redact=True).rebuilt == 0
    assert build(place, instance, redact=False).rebuilt == 3
    assert place.visible() == plain


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_stays_json_whatever_is_redacted(kind: str) -> None:
    document = log(user("a"), answer=assistant("b"))
    document["request"]["note"] = f'"quoted" {KINDS[kind]()}\nend'
    redacted = redact(logged(document))
    assert redacted is not None and redacted.kinds
    found = json.loads(redacted.log)
    assert "[REDACTED:" in found["request"].pop("note")
    del document["request"]["note"]
    assert found == document


def test_a_secret_that_is_the_structure_of_the_log_drops_the_trial() -> None:
    assert redact(b'{"a": ' + b"not JSON") is None
