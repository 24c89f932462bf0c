"""Reads a card as its readers do: the YAML by a YAML parser, the text by a Markdown parser."""

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
    """`yaml` is the parsed front matter. `headings` are all headings of the text, in order; `tables` has
    the rows of the tables below each heading, without the tables' heads, and `spans` the code spans of each
    of these rows. `text` is the Markdown."""

    yaml: Any
    headings: Sequence[str]
    tables: Mapping[str, Sequence[Row]]
    spans: Mapping[str, Sequence[Row]]
    text: str

    def at(self, *keys: str | int) -> Any:
        """The value at this place of the YAML, None where there is none."""
        value = self.yaml
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def numbers(self, heading: str, first: int, width: int) -> dict[str, list[str]]:
        """The numbers in `width` cells from the cell `first` on, by the rows' labels."""
        rows = self.tables.get(heading, ())
        return {row[0]: _NUMBER.findall(" ".join(row[first : first + width])) for row in rows}


def parse_card(text: str) -> Card:
    """The card in the text of README.md. Raises `DatasetError` where it has no readable YAML."""
    parts = _FRONT_MATTER.fullmatch(text)
    if parts is None:
        raise DatasetError("it has no YAML between two lines of ---")
    try:
        front = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise DatasetError(f"its YAML can't be read ({error})") from error
    headings, cells = _tables(parts[2])
    tables = {heading: [tuple(map(_shown, row)) for row in rows] for heading, rows in cells.items()}
    spans = {heading: [_spans(row) for row in rows] for heading, rows in cells.items()}
    return Card(front, headings, tables, spans, parts[2])


def same_number(written: str, value: float) -> bool:
    """Whether `written` (`1,234`, `12.5`, `37.1%`) is `value`, rounded to the places that are written."""
    digits, percent, _ = written.replace(",", "").partition("%")
    half_a_place = 0.5 * 10.0 ** -len(digits.partition(".")[2])
    return abs(float(digits) - value * (100 if percent else 1)) <= half_a_place + 1e-9


def holds_rows(category: Any, rows: int) -> bool:
    """Whether that many rows are in a size category of the Hub, such as `1K<n<10K`."""
    found = _CATEGORY.fullmatch(str(category))
    if found is None:
        return False
    low = int(found[1] or 0) * _UNITS[found[2] or ""]
    high = int(found[3]) * _UNITS[found[4]]
    return low <= rows < high and high == (10 * low or 1000)


def features_schema(features: Any) -> pa.Schema | None:
    """The columns that the YAML's features stand for, None where they are no features."""
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
    """All headings, and the cells of the tables' rows below each."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    headings: list[str] = []
    tables: dict[str, list[list[Token]]] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            headings.append(_shown(inline))
        elif token.type == "tr_open":
            cells: list[Token] = []
        elif token.type == "td_open":
            cells.append(inline)
        elif token.type == "tr_close" and cells:
            tables.setdefault(headings[-1] if headings else "", []).append(cells)
    return headings, tables


def _shown(inline: Token) -> str:
    """What a reader sees of a heading or a cell."""
    return "".join(child.content for child in inline.children or ())


def _spans(cells: Sequence[Token]) -> Row:
    children = (child for cell in cells for child in cell.children or ())
    return tuple(child.content for child in children if child.type == "code_inline")
