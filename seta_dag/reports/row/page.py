"""Render an inspection as one self-contained HTML page, without scripts, fonts or requests."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from seta_dag.reports.printable import on_one_line, printable
from seta_dag.reports.row.display_token import Token
from seta_dag.reports.row.facts import facts
from seta_dag.reports.row.inspection import Inspection
from seta_dag.reports.row.origins import NONE, explained_flags, reasoning_sources

if TYPE_CHECKING:
    from jinja2 import Template

_LABELS = {"reasoning": "Reasoning", "call": "Tool call", "output": "Tool output"}
_FOLD_ABOVE = 1500  # tokens
_AROUND = 3  # tokens shown on each side of a boundary
_PREVIEW = 120  # characters
# One letter per class, because a page can have 90,000 tokens.
_CLASSES = {"text": "", "markup": "m", "literal": "l"}


def as_html(inspection: Inspection) -> str:
    """Render every token of the row, grouped by turn.

    Blocks of more than 1,500 tokens are folded at first. Text of the rollout is always escaped, and the
    page's Content-Security-Policy allows nothing but the page's own style.
    """
    style = (importlib.resources.files("seta_dag.reports.row") / "page.css").read_text("utf-8")
    return _template().render(
        inspection=inspection,
        facts=facts(inspection),
        flags=explained_flags(inspection),
        sources=reasoning_sources(inspection),
        no_reasoning=NONE,
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
    """Return the attributes of a token's element, unquoted where possible to keep the page small."""
    named = " ".join(_classes(token))
    return Markup(f" data-i={token.id} data-p={token.position}" + (f' class="{named}"' if named else ""))  # noqa: S704


def classes(token: Token) -> str:
    """Return the classes of a token outside a run; inside, the run's element says if it is trainable."""
    return " ".join([*_classes(token), *(["learn"] if token.is_trainable else [])])


def _classes(token: Token) -> list[str]:
    is_newline = token.text.isspace() and "\n" in token.text
    found = {_CLASSES[token.kind]: True, "e": token.is_escaped, "n": is_newline}
    return [name for name, applies in found.items() if name and applies]


def preview(text: str) -> str:
    """Return the beginning of a block, on one line."""
    # Cut before splitting, because a block can have megabytes; runs of white space shrink to one space.
    return " ".join(text[: 4 * _PREVIEW].split())[:_PREVIEW]
