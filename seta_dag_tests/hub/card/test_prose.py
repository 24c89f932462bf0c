"""The user's card text comes from one TOML file; invalid files are rejected with one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from seta_dag.errors import ConfigError
from seta_dag.hub.card.prose import Prose, Section, read_prose

COMPLETE = """
title = "Terminal rollouts"
description = '''
Two lines,
ünïcode too.
'''
license = "cc-by-4.0"

[links]
code = "https://example.org/code"
"The paper" = "http://example.org/paper"

[[section]]
title = "Ethics"
text = "None."

[[section]]
title = "Contact"
text = "- us"
"""


def test_without_a_file_the_defaults_apply() -> None:
    assert read_prose(None) == Prose(
        title=None, description=None, license="apache-2.0", links={}, sections=()
    )


def test_file_with_every_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(COMPLETE, "utf-8")
    assert read_prose(path) == Prose(
        title="Terminal rollouts",
        description="Two lines,\nünïcode too.",
        license="cc-by-4.0",
        links={"code": "https://example.org/code", "The paper": "http://example.org/paper"},
        sections=(Section("Ethics", "None."), Section("Contact", "- us")),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", "not TOML"),
        ("titel = 'x'", "no key titel; it has title, description, license, links, section"),
        ("rows = 7", "no key rows"),
        ("title = 7", "title must be one line"),
        ("title = ''", "title must be one line"),
        ('title = "a\\nb"', "title must be one line"),
        ("description = ['x']", "description must be text"),
        ("license = 'Apache 2.0'", "license must be a license id"),
        ("links = 'x'", r"write \[links\]"),
        ("[links]\ncode = 'example.org'", "links.code must be an address"),
        ("section = 'x'", r"write \[\[section\]\]"),
        ("[section]\ntitle = 'x'", r"write \[\[section\]\]"),
        ("[[section]]\ntext = 'x'", "title must be one line"),
        ("[[section]]\ntitle = 'x'", "text of section 'x' must be text"),
        ("[[section]]\ntitle = 'x'\ntext = 'y'\nrows = 7", "has no key rows; it has title, text"),
    ],
)
def test_invalid_file_is_rejected_with_an_error_that_names_it(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=message) as raised:
        read_prose(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    "create",
    [lambda path: None, Path.mkdir, lambda path: path.write_bytes(b"\xff")],
    ids=["missing", "directory", "not UTF-8"],
)
def test_unreadable_file_is_rejected(tmp_path: Path, create) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "card.toml"
    create(path)
    with pytest.raises(ConfigError, match=r"card\.toml"):
        read_prose(path)
