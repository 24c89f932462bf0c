"""An inspection as one HTML page that needs nothing else: no script, no font, no connection."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from seta_dag.reports.printable import on_one_line, printable
from seta_dag.reports.row.facts import facts
from seta_dag.reports.row.inspection import Inspection, Token

if TYPE_CHECKING:
    from jinja2 import Template

_LABELS = {"reasoning": "Reasoning", "call": "Tool call", "output": "Tool output"}
_FOLD_ABOVE = 1500
_AROUND = 3
_PREVIEW = 120
_CLASSES = {"text": "", "markup": "m", "literal": "l"}


def as_html(inspection: Inspection) -> str:
    """Every token of the row, grouped by turn; blocks of more than 1,500 tokens are folded at first.

    Text of the rollout is only ever text: it is escaped, and the page's Content-Security-Policy allows
    nothing but the page's own style.
    """
    style = (importlib.resources.files("seta_dag.reports.row") / "page.css").read_text("utf-8")
    return _template().render(
        inspection=inspection,
        facts=facts(inspection),
        labels=_LABELS,
        fold_above=_FOLD_ABOVE,
        around=_AROUND,
        style=Markup(style),  # noqa: S704 - a file of this package
        style_sha256=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seta_dag.reports.row", ""),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (attributes, classes, on_one_line, preview, printable)
    environment.filters |= {function.__name__: function for function in filters}
    return environment.get_template("page.html.jinja")


def attributes(token: Token) -> Markup:
    """The attributes of a token's element, in few bytes: a page can hold 90,000 of them."""
    named = " ".join(_classes(token))
    return Markup(f" data-i={token.id} data-p={token.place}" + (f' class="{named}"' if named else ""))  # noqa: S704


def classes(token: Token) -> str:
    """The classes of a token that stands outside a run of tokens."""
    return " ".join([*_classes(token), *(["learn"] if token.is_trainable else [])])


def _classes(token: Token) -> list[str]:
    is_newline = token.text.isspace() and "\n" in token.text
    found = {_CLASSES[token.kind]: True, "e": token.is_escaped, "n": is_newline}
    return [name for name, holds in found.items() if name and holds]


def preview(text: str) -> str:
    """The beginning of a block, on one line."""
    return " ".join(text[: 4 * _PREVIEW].split())[:_PREVIEW]
