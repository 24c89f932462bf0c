"""The HTML page of an inspection, parsed back with `html.parser`."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from seta_dag.reports.printable import printable
from seta_dag.reports.row.page import as_html
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.inspected import CONVERSATIONS, Inspected

ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "dl", "div", "dt",
    "dd", "svg", "a", "rect", "ul", "li", "i", "section", "span", "details", "summary", "b", "small", "pre",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "viewbox", "preserveaspectratio", "role",
    "aria-label", "href", "x", "y", "width", "height", "id", "open", "data-i", "data-p",
}  # fmt: skip

EVERY_ROW = [
    pytest.param(name, variant, id=f"{name}, {variant}") for name in CONVERSATIONS for variant in VARIANTS
]
every_row = pytest.mark.parametrize(("name", "variant"), EVERY_ROW)


@dataclass
class Page(HTMLParser):
    """Parsed page: elements with attributes, and `[id, position, class of the run, text]` per token."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tokens: list[list[str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(self.elements[-1])
        if "data-i" in dict(attrs):
            run = self.open[-2][1].get("class") or ""
            self.tokens.append([str(dict(attrs)["data-i"]), str(dict(attrs)["data-p"]), run, ""])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tag, attributes = self.open[-1] if self.open else ("", {})
        self.texts[tag] = self.texts.get(tag, "") + data
        if "data-i" in attributes:
            self.tokens[-1][-1] += data


def parse(html: str) -> Page:
    parsed = Page()
    parsed.feed(html)
    parsed.close()
    return parsed


@every_row
def test_every_token_is_on_the_page_exactly_once(name: str, variant: Variant, inspected: Inspected) -> None:
    row = inspected(name, variant)
    assert parse(as_html(row)).tokens == [
        [str(token.id), str(token.position), "learn" if token.is_trainable else "", token.text]
        for token in row.tokens(0, len(row.ids))
    ]


@every_row
def test_rollout_text_never_becomes_markup(name: str, variant: Variant, inspected: Inspected) -> None:
    parsed = parse(as_html(inspected(name, variant)))
    assert {tag for tag, _ in parsed.elements} <= ELEMENTS
    assert {attribute for _, attributes in parsed.elements for attribute in attributes} <= ATTRIBUTES
    assert parsed.open == []


@every_row
def test_the_page_links_only_to_its_own_turns(name: str, variant: Variant, inspected: Inspected) -> None:
    elements = parse(as_html(inspected(name, variant))).elements
    links = [attributes["href"] for _, attributes in elements if "href" in attributes]
    assert links
    assert all(re.fullmatch(r"#turn-\d+", str(link)) for link in links)


def test_the_content_policy_allows_only_the_embedded_style(inspected: Inspected) -> None:
    parsed = parse(as_html(inspected("hostile")))
    policy = next(str(a["content"]) for _, a in parsed.elements if a.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(parsed.texts["style"].encode()).digest()).decode()
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]


@every_row
def test_the_page_contains_the_rendered_text(name: str, variant: Variant, inspected: Inspected) -> None:
    row = inspected(name, variant)
    assert parse(as_html(row)).texts["pre"] == printable(row.row["chat_template_str"])


@pytest.mark.parametrize(("name", "n_folded", "n_open"), [("ordinary", 0, 6), ("long output", 1, 1)])
def test_long_blocks_start_folded(name: str, n_folded: int, n_open: int, inspected: Inspected) -> None:
    elements = parse(as_html(inspected(name))).elements
    blocks = [attributes for tag, attributes in elements if tag == "details" and "class" not in attributes]
    assert [sum("open" not in block for block in blocks), sum("open" in block for block in blocks)] == [
        n_folded,
        n_open,
    ]


@every_row
def test_the_boundaries_of_each_assistant_turn_are_listed(
    name: str, variant: Variant, inspected: Inspected
) -> None:
    row = inspected(name, variant)
    spans = [(turn.first, turn.end - 1) for turn in row.turns if turn.role == "assistant"]
    assert re.findall(r"<td>(\d+) to (\d+)</td>", as_html(row)) == [(str(a), str(b)) for a, b in spans]


def test_tokens_around_a_boundary_are_shown_with_their_ids(inspected: Inspected) -> None:
    row = inspected("ordinary")
    shown = [
        token.id
        for turn in row.turns
        if turn.role == "assistant"
        for middle in (turn.first, turn.end)
        for token in row.tokens(middle - 3, middle + 3)
    ]
    assert re.findall(r"<small>(\d+)</small>", as_html(row)) == [str(token) for token in shown]


SUMMARY = ["0.750 (3 of 4 tests passed)", "kimi-k2.5", "literal_markup", "yes, exactly", "1,234 prompt"]


@pytest.mark.parametrize("fact", SUMMARY)
def test_the_summary_contains(fact: str, inspected: Inspected) -> None:
    assert fact in parse(as_html(inspected("ordinary"))).texts["dd"]
