"""The scan before a publish: every column, the card, the report, and what the user allows."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError, DatasetError
from seta_dag.hub.secret_gate import (
    CARD,
    NAME_COLUMNS,
    TEXT_COLUMNS,
    Finding,
    read_allowed,
    scan,
    write_report,
)
from seta_dag.secret_scan.fingerprints import fingerprint
from seta_dag_tests.support.hub.dataset import row, write_dataset
from seta_dag_tests.support.secrets_made_up import KINDS

TOKEN = KINDS["github-pat"]()


def logged(text: str) -> str:
    """Return `text` as a log has it, in a JSON string."""
    return json.dumps({"content": text}, ensure_ascii=False, indent=4)


@pytest.mark.parametrize("column", [*NAME_COLUMNS, *TEXT_COLUMNS])
def test_a_secret_is_found_in_every_column_of_text(column: str, tmp_path: Path) -> None:
    text = f"語 first line\nsecond {TOKEN} and more"
    text = logged(text) if column == "raw_conv_json" else text
    one = row(1, **{column: text})
    (found,) = scan(write_dataset(tmp_path / "d", [[row(0), one]])).blocking
    uid = one["trial_uid"].replace(TOKEN, "[REDACTED:github-pat]")
    assert found == Finding(uid, column, text.index(TOKEN), 2, "github-pat", fingerprint(TOKEN))


def test_a_secret_on_the_card_is_found(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", [[row(0)]])
    with (folder / CARD).open("a") as card:
        card.write(f"\nMine: {TOKEN}\n")
    (found,) = scan(folder).blocking
    assert (found.trial_uid, found.column) == ("", CARD)


def test_a_credential_of_the_log_is_found_by_its_name(tmp_path: Path) -> None:
    log = {"request": {"model_config_dict": {"api_key": "Hunt" + "er2-letters"}}}
    (found,) = scan(write_dataset(tmp_path / "d", [[row(0, raw_conv_json=json.dumps(log))]])).blocking
    assert found.kind == "credential-field"


def test_a_credential_of_the_log_is_found_in_the_text_too(tmp_path: Path) -> None:
    value = "Hunt" + "er2-letters"
    one = row(
        0,
        raw_conv_json=json.dumps({"model_config_dict": {"api_key": value}}),
        chat_template_str=f"Use {value}!",
    )
    found = scan(write_dataset(tmp_path / "d", [[one]])).blocking
    assert [(each.column, each.offset) for each in found if each.column == "chat_template_str"] == [
        ("chat_template_str", 4)
    ]


def test_the_report_contains_no_part_of_a_secret(tmp_path: Path) -> None:
    text = "\n".join(make() for make in KINDS.values())
    folder = write_dataset(tmp_path / "d", [[row(1, chat_template_str=text)]])
    found = scan(folder)
    write_report(tmp_path / "secrets.json", found)
    report = (tmp_path / "secrets.json").read_text()
    assert not [part for part in re.split(r"\W+", text) if len(part) > 20 and part in report]
    assert len(found.kinds()) > 20 and sum(found.kinds().values()) == len(found.blocking)


def test_an_allowed_fingerprint_does_not_block(tmp_path: Path) -> None:
    other = KINDS["github-pat"]()
    folder = write_dataset(tmp_path / "d", [[row(1, chat_template_str=f"{TOKEN} {other}")]])
    allowed = tmp_path / "allowed.txt"
    allowed.write_text(f"# of the task's own sandbox\n\n{fingerprint(TOKEN)}  # expired\n{'0' * 16}\n")
    found = scan(folder, read_allowed(allowed))
    assert {one.fingerprint for one in found.blocking} == {fingerprint(other)}
    assert {one.fingerprint for one in found.allowed} == {fingerprint(TOKEN)}
    assert (found.n_rows, found.outdated) == (1, ("0" * 16,))


def test_a_fingerprint_of_version_0_1_stays_valid(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", [[row(1, chat_template_str=f"see {TOKEN}")]])
    former = hashlib.sha256(f"GitHub Token\0{TOKEN}".encode()).hexdigest()[:16]
    found = scan(folder, {former})
    assert not found.blocking and not found.outdated and len(found.allowed) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"0123456789abcdef\nghp_something\n", "line 2: not a fingerprint"),
    ],
    ids=["missing", "not UTF-8", "not a fingerprint"],
)
def test_unusable_file_of_fingerprints_is_refused(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "allowed.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"allowed\.txt: {sentence}"):
        read_allowed(path)


def test_every_row_of_every_shard_is_scanned(tmp_path: Path) -> None:
    rows = [row(n, chat_template_str=f"{'語' * n} {TOKEN}") for n in range(150)]
    findings = scan(write_dataset(tmp_path / "d", [rows[:100], rows[100:]]))
    assert findings.n_rows == 150
    assert {f.trial_uid: f.offset for f in findings.blocking} == {
        one["trial_uid"]: n + 1 for n, one in enumerate(rows)
    }


def test_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="build the dataset first"):
        scan(tmp_path)
