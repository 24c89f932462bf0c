"""A person's own words for the cards: title, description, license, links and sections.

They come from one TOML file for both variants, and cannot change the numbers on a card.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seta_dag.errors import ConfigError

DEFAULT_LICENSE = "apache-2.0"
_KEYS = ("title", "description", "license", "links", "section")
_FORMS = {
    "license": (r"[a-z0-9][a-z0-9.+-]*", "a license id of the Hub, such as apache-2.0"),
    "title": (r"[^\r\n]*\S[^\r\n]*", "one line of text"),
    "description": (r"(?s).*\S.*", "text"),
    "text": (r"(?s).*\S.*", "text"),
    "link": (r"https?://\S+", "an address that begins with https://"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A section in a person's own words; `title` is one line, `text` is Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A person's own words for the cards; by default there are none.

    Attributes:
        title: first heading, without the variant; None uses the card's own.
        description: Markdown below the title.
        license: license id of the Hub.
        links: address by name.
        sections: sections before the license, in order.
    """

    title: str | None = None
    description: str | None = None
    license: str = DEFAULT_LICENSE
    links: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()


def read_prose(path: Path | None) -> Prose:
    """Read a person's own words from a TOML file; None gives the default.

    Keys, all optional: title, description, license (an id of the Hub), [links] of name = address, and
    any number of [[section]] with title and text.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has any other key or type.
    """
    if path is None:
        return Prose()
    given = _read_toml(path)
    _require_known_keys(path, "the file", given, _KEYS)
    return Prose(
        title=_text(path, given, "title", None),
        description=_text(path, given, "description", None),
        license=_text(path, given, "license", DEFAULT_LICENSE) or DEFAULT_LICENSE,
        links=_links(path, given.get("links", {})),
        sections=_sections(path, given.get("section", [])),
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a TOML file") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both ValueErrors
        raise ConfigError(f"{path}: not TOML ({error})") from error


def _links(path: Path, links: Any) -> dict[str, str]:
    if not isinstance(links, dict):
        raise ConfigError(f"{path}: links is not a table; write [links] and below it name = address")
    return {name: _checked(path, f"links.{name}", address, "link") for name, address in links.items()}


def _sections(path: Path, sections: Any) -> tuple[Section, ...]:
    if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
        raise ConfigError(f"{path}: section is not a list of tables; write [[section]] with title and text")
    return tuple(_section(path, section) for section in sections)


def _section(path: Path, section: Mapping[str, Any]) -> Section:
    _require_known_keys(path, "[[section]]", section, ("title", "text"))
    title = _checked(path, "a [[section]]'s title", section.get("title"), "title")
    return Section(title, _checked(path, f"text of section {title!r}", section.get("text"), "text"))


def _require_known_keys(path: Path, where: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise ConfigError(f"{path}: {where} has no key {', '.join(unknown)}; it has {', '.join(known)}")


def _text(path: Path, given: Mapping[str, Any], key: str, default: str | None) -> str | None:
    return _checked(path, key, given[key], key) if key in given else default


def _checked(path: Path, what: str, value: Any, form: str) -> str:
    pattern, words = _FORMS[form]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ConfigError(f"{path}: {what} must be {words}")
    return value.strip()
