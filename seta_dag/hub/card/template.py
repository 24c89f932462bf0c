"""The card's template and what it is filled in with: numbers, code spans and types as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from seta_dag.dataset.schema import FEATURES
from seta_dag.dataset.stats import UNKNOWN_MODEL, one_line

if TYPE_CHECKING:
    from jinja2 import Template


@lru_cache(maxsize=1)
def card_template() -> Template:
    """The template of README.md. A value that it asks for and is not given raises."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seta_dag.hub.card", ""),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"features": _FEATURE_TYPES, "UNKNOWN_MODEL": UNKNOWN_MODEL}
    environment.filters |= _FILTERS
    return environment.get_template("card.md.jinja")


def _code(value: object) -> str:
    """A setting or any text as a Markdown code span."""
    shown = json.dumps(value) if isinstance(value, bool) else one_line(value) or " "
    ticks = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def _feature_type(feature: Mapping[str, Any]) -> str:
    """A feature in the words of Arrow: `int64`, `list<int32>`, `struct<…>`."""
    if feature.get("_type") == "Value":
        return str(feature["dtype"])
    if feature.get("_type") == "List":
        return f"list<{_feature_type(feature['feature'])}>"
    return f"struct<{', '.join(f'{name}: {_feature_type(member)}' for name, member in feature.items())}>"


def _student(name: str) -> str:
    """The student's name without the path to a local folder, which says nothing on other machines."""
    is_hub_id = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name)
    return name if is_hub_id else re.split(r"[\\/]", name.rstrip("\\/"))[-1]


_FEATURE_TYPES = {name: _feature_type(feature) for name, feature in FEATURES.items()}
_FILTERS: dict[str, Callable[..., str]] = {
    "n": "{:,}".format,
    "percent": "{:.1%}".format,
    "decimals": lambda value, places: f"{value:,.{places}f}",
    "code": _code,
    "cell": lambda text: text.replace("|", r"\|"),  # a bar would end the cell, in a code span too
    "student": _student,
}
