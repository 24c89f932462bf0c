"""Secret scan: every kind of secret is found at its place, and none is revealed.

The secrets here are made up. They are composed of parts, so that no scanner reports this file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError, DatasetError
from seta_dag.hub.secret_scan.rules import rules
from seta_dag.hub.secret_scan.scan import Finding, read_allowed, scan, write_report
from seta_dag_tests.support.hub.dataset import row, write_dataset

_HEX = "0123456789abcdef"
_MIXED = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2dE3fG4hJ5kL6mN7pQ8rS9"
_PROVIDER = "sk-"
_END = " KEY-----\n"

_OPENAI = _PROVIDER + "p-" + _MIXED[:20] + "T3BlbkFJ"
_JWT_HEAD = "eyJhbGciOiJIUzI1NiJ9."

SECRETS = {
    "AWS Access Key": ("AKIA" + "QWERTYUIOPASDFGH", "AKIA" + "ZXCVBNMLKJHGFDSA"),
    "AWS Secret Key": (_MIXED[:40], _MIXED[10:50]),
    "Anthropic API Key": (_PROVIDER + "ant-api03-" + _MIXED, _PROVIDER + "ant-api03-" + _MIXED[::-1]),
    "Artifactory Token": ("AKCp" + _MIXED * 2, "AKCp" + _MIXED[::-1] * 2),
    "Azure Storage Account access key": tuple("AccountKey=" + _HEX * 5 + end * 8 for end in "ab"),
    "Basic Auth Credentials": ("://joe:" + "hunter2@", "://joe:" + "hunter3@"),
    "Discord Bot Token": tuple(f"{head}{_MIXED[:23]}.{_MIXED[:6]}.{_MIXED[:27]}" for head in "MN"),
    "GitHub Fine-Grained Token": ("github_pat_" + _MIXED + "A_bC", "github_pat_" + _MIXED + "A_bD"),
    "GitHub Token": ("ghp_" + _MIXED[:36], "gho_" + _MIXED[1:37]),
    "GitLab Token": ("glpat-" + _MIXED[:20], "glagent-" + _MIXED[:52]),
    "Google API Key": ("AIza" + _MIXED[:35], "AIza" + _MIXED[1:36]),
    "Hugging Face Token": ("hf_" + _MIXED[:34], "hf_" + _MIXED[1:35]),
    "JSON Web Token": (_JWT_HEAD + "eyJzdWIiOiIxIn0.", _JWT_HEAD + "eyJzdWIiOiIyIn0."),
    "Mailchimp Access Key": (_HEX * 2 + "-us1", _HEX[::-1] * 2 + "-us1"),
    "Model Provider Key": (_PROVIDER + _MIXED[:48], "gsk_" + _MIXED[:52]),
    "NPM Token": ("npm_" + _MIXED[:36], "_authToken=" + "12345678-1234-1234-1234-1234567890ab"),
    "OpenAI Token": (_OPENAI + _MIXED[:20], _OPENAI + _MIXED[1:21]),
    "Private Key": (f"BEGIN RSA PRIVATE{_END}MIIE{_MIXED}", f"BEGIN PRIVATE{_END}MIIF{_MIXED}"),
    "PyPI Token": ("pypi-" + "AgEIcHlwaS5vcmc" + _MIXED * 2, "pypi-" + "AgEIcHlwaS5vcmc" + _MIXED[::-1] * 2),
    "SendGrid API Key": (f"SG.{_MIXED[:22]}.{_MIXED[:43]}", f"SG.{_MIXED[:22]}.{_MIXED[1:44]}"),
    "Slack Token": ("xoxb-" + "123456-7890-abcdef", f"https://hooks.slack.com/services/T1/B2/{_MIXED[:24]}"),
    "Square OAuth Secret": ("sq0csp-" + _MIXED[:43], "sq0csp-" + _MIXED[1:44]),
    "Stripe Access Key": ("sk_live_" + _MIXED[:24], "rk_live_" + _MIXED[:24]),
    "Telegram Bot Token": ("123456789:" + _MIXED[:35], "987654321:" + _MIXED[:35]),
    "Twilio API Key": ("AC" + _HEX * 2, "SK" + _HEX * 2),
}
PREFIX = {"AWS Secret Key": "AWS_SECRET_ACCESS_KEY="}
"""Text that has to come before a secret of this kind, because its form alone does not identify it."""


def logged(text: str) -> str:
    """Return `text` as a log has it, in a JSON string."""
    return json.dumps({"content": text}, ensure_ascii=False, indent=4)


def findings_in(folder: Path, *texts: str) -> list[Finding]:
    """Scan a dataset with one row per text, which both columns contain."""
    rows = [row(n, chat_template_str=text, raw_conv_json=logged(text)) for n, text in enumerate(texts)]
    return list(scan(write_dataset(folder, [rows])).blocking)


def test_secrets_above_cover_every_rule() -> None:
    assert set(SECRETS) == {rule.kind for rule in rules()}


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_is_found_in_both_columns_with_one_fingerprint(tmp_path: Path, kind: str) -> None:
    texts = [
        f'語 first line\nsecond "line"\n{PREFIX.get(kind, "")}{secret} and more\n' for secret in SECRETS[kind]
    ]
    found = [finding for finding in findings_in(tmp_path / "d", *texts) if finding.kind == kind]
    for n, (text, secret) in enumerate(zip(texts, SECRETS[kind], strict=True)):
        of_row = {finding.column: finding for finding in found if finding.trial_uid == row(n)["trial_uid"]}
        assert {column: finding.line for column, finding in of_row.items()} == {
            "chat_template_str": 3,
            "raw_conv_json": 2,
        }
        stored = {"chat_template_str": text, "raw_conv_json": logged(text)}
        first_line = secret.partition("\n")[0]  # JSON escapes the newlines of a private key
        for column, finding in of_row.items():
            start = stored[column].index(first_line)
            assert start - 1 <= finding.offset < start + len(first_line)
        assert len({finding.fingerprint for finding in of_row.values()}) == 1
    assert len({finding.fingerprint for finding in found}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "id 123e4567-e89b-12d3-a456-426614174000 at 10.0.0.1:8080",
        "password = 'changeme'; token=None; api_key: str",
        "https://example.com/path?x=1#frag, user@example.com, git@github.com:org/repo.git",
        "task-0123456789abcdef0123456789abcdef0123 risk-free disk-0123",
        "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    ],
)
def test_text_that_only_looks_like_a_secret_is_not_reported(tmp_path: Path, text: str) -> None:
    assert findings_in(tmp_path / "d", text) == []


def test_report_contains_no_part_of_a_secret(tmp_path: Path) -> None:
    text = "\n".join(PREFIX.get(kind, "") + secret for kind, pair in SECRETS.items() for secret in pair)
    folder = write_dataset(tmp_path / "d", [[row(1, chat_template_str=text)]])
    write_report(tmp_path / "secrets.json", scan(folder))
    report = (tmp_path / "secrets.json").read_text()
    assert not [part for part in re.split(r"\W+", text) if len(part) > 9 and part in report]
    assert {finding["kind"] for finding in json.loads(report)["blocking"]} == set(SECRETS)


def test_allowed_fingerprint_does_not_block(tmp_path: Path) -> None:
    text = " ".join(SECRETS["GitHub Token"])
    first, second = findings_in(tmp_path / "d", text)[:2]
    allowed = tmp_path / "allowed.txt"
    allowed.write_text(f"# tokens of the task's own sandbox\n\n{first.fingerprint}  # expired\n")
    findings = scan(tmp_path / "d", read_allowed(allowed))
    assert {finding.fingerprint for finding in findings.blocking} == {second.fingerprint}
    assert {finding.fingerprint for finding in findings.allowed} == {first.fingerprint}
    assert findings.n_rows == 1


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
    secret = SECRETS["Hugging Face Token"][0]
    rows = [row(n, chat_template_str=f"{'語' * n} {secret}") for n in range(150)]
    findings = scan(write_dataset(tmp_path / "d", [rows[:100], rows[100:]]))
    assert findings.n_rows == 150
    assert {f.trial_uid: f.offset for f in findings.blocking} == {
        one["trial_uid"]: n + 1 for n, one in enumerate(rows)
    }


def test_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="build the dataset first"):
        scan(tmp_path)
