"""Read a card as its readers do: the YAML with a YAML parser, the text with a Markdown parser."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import yaml

from seta_dag.errors import DatasetError

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?%?")
_CATEGORY = re.compile(r"(?:(\d+)([KMB])<)?n<(\d+)([KMBT])")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A parsed README.md.

    Attributes:
        yaml: the parsed front matter, of any YAML type.
        headings: all headings of the text, in order.
        tables: for each heading, the rows of the tables below it, without header rows; one string per cell.
        spans: for each heading, the contents of the code spans in each of these rows; same length as
            `tables`.
        text: the Markdown after the front matter.
    """

    yaml: Any
    headings: Sequence[str]
    tables: Mapping[str, Sequence[Row]]
    spans: Mapping[str, Sequence[Row]]
    text: str

    def at(self, *keys: str | int) -> Any:
        """Return the YAML value at a path of keys and indices, or None if there is none."""
        value = self.yaml
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def numbers(self, heading: str, first: int, width: int) -> dict[str, list[str]]:
        """Return the numbers in cells `[first, first + width)` of each row, by the label in its first cell.

        Rows with the same label overwrite each other, so fewer entries than rows mean a repeated label.
        """
        rows = self.tables.get(heading, ())
        return {row[0]: _NUMBER.findall(" ".join(row[first : first + width])) for row in rows}


def parse_card(text: str) -> Card:
    """Parse the text of README.md.

    Raises:
        DatasetError: it has no front matter, or the front matter is not YAML.
    """
    parts = _FRONT_MATTER.fullmatch(text)
    if parts is None:
        raise DatasetError("it has no YAML between two lines of ---")
    try:
        front = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise DatasetError(f"its YAML cannot be read ({error})") from error
    headings, cells = _tables(parts[2])
    tables = {heading: [tuple(map(_displayed, row)) for row in rows] for heading, rows in cells.items()}
    spans = {heading: [_spans(row) for row in rows] for heading, rows in cells.items()}
    return Card(front, headings, tables, spans, parts[2])


def same_number(written: str, value: float) -> bool:
    """Return whether `written` (`1,234`, `12.5`, `37.1%`) is `value`, rounded to its decimal places."""
    digits, percent, _ = written.replace(",", "").partition("%")
    half_a_place = 0.5 * 10.0 ** -len(digits.partition(".")[2])
    # The epsilon accepts a value that lies exactly between two roundings, in spite of binary floats.
    return abs(float(digits) - value * (100 if percent else 1)) <= half_a_place + 1e-9


def holds_rows(category: Any, rows: int) -> bool:
    """Return whether a size category of the Hub, such as `1K<n<10K`, contains `rows`."""
    found = _CATEGORY.fullmatch(str(category))
    if found is None:
        return False
    low = int(found[1] or 0) * _UNITS[found[2] or ""]
    high = int(found[3]) * _UNITS[found[4]]
    # The Hub only has whole decades, so 1K<n<1M is not one of its categories.
    return low <= rows < high and high == (10 * low or 1000)


def features_schema(features: Any) -> pa.Schema | None:
    """Return the Arrow schema of the features in the YAML, or None if they are malformed."""
    try:
        return pa.schema([(feature["name"], _arrow_type(feature)) for feature in features])
    except (KeyError, TypeError, ValueError):
        return None


def _arrow_type(feature: Mapping[str, Any]) -> pa.DataType:
    if "struct" in feature:
        return pa.struct([(member["name"], _arrow_type(member)) for member in feature["struct"]])
    if "list" in feature:
        return pa.list_(pa.type_for_alias(feature["list"]))
    return pa.type_for_alias(feature["dtype"])


def _tables(markdown: str) -> tuple[list[str], dict[str, list[list[Token]]]]:
    """Return all headings, and the cells of the table rows below each; rows before any are under ''."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    headings: list[str] = []
    tables: dict[str, list[list[Token]]] = {}
    # The parser gives a flat list, in which the text of a heading or cell follows its opening token.
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            headings.append(_displayed(inline))
        elif token.type == "tr_open":
            cells: list[Token] = []
        elif token.type == "td_open":
            cells.append(inline)
        elif token.type == "tr_close" and cells:  # a header row has th cells, so it has none here
            tables.setdefault(headings[-1] if headings else "", []).append(cells)
    return headings, tables


def _displayed(inline: Token) -> str:
    """Return the text of a heading or cell as displayed, without Markdown syntax."""
    return "".join(child.content for child in inline.children or ())


def _spans(cells: Sequence[Token]) -> Row:
    children = (child for cell in cells for child in cell.children or ())
    return tuple(child.content for child in children if child.type == "code_inline")
