"""The card's Jinja template, and the filters that write numbers, code spans and types as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from seta_dag.dataset.filters.registry import reasons
from seta_dag.dataset.schema import FEATURES, MEANINGS
from seta_dag.dataset.stats import UNKNOWN_MODEL, one_line
from seta_dag.rollouts.reasons import Flag

if TYPE_CHECKING:
    from jinja2 import Template


@lru_cache(maxsize=1)
def card_template() -> Template:
    """Return the template of README.md. Rendering raises if it needs a value that is not given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seta_dag.hub.card", ""),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "features": _FEATURE_TYPES,
        "meanings": MEANINGS,
        "flags": {str(flag): flag.meaning for flag in Flag},
        "reasons": reasons(),
        "UNKNOWN_MODEL": UNKNOWN_MODEL,
    }
    environment.filters |= _FILTERS
    return environment.get_template("card.md.jinja")


def _code(value: object) -> str:
    """Write any value as a Markdown code span, with a fence longer than any backticks in it."""
    shown = json.dumps(value) if isinstance(value, bool) else one_line(value) or " "
    ticks = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def _feature_type(feature: Mapping[str, Any]) -> str:
    """Name a feature's type as Arrow does: `int64`, `list<int32>`, `struct<…>`."""
    if feature.get("_type") == "Value":
        return str(feature["dtype"])
    if feature.get("_type") == "List":
        return f"list<{_feature_type(feature['feature'])}>"
    return f"struct<{', '.join(f'{name}: {_feature_type(member)}' for name, member in feature.items())}>"


def _student(name: str) -> str:
    """Shorten a local folder to its last part: no path of the build machine is published."""
    is_hub_id = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name)
    return name if is_hub_id else re.split(r"[\\/]", name.rstrip("\\/"))[-1]


_FEATURE_TYPES = {name: _feature_type(feature) for name, feature in FEATURES.items()}
_FILTERS: dict[str, Callable[..., str]] = {
    "n": "{:,}".format,
    "percent": "{:.1%}".format,
    "decimals": lambda value, places: f"{value:,.{places}f}",
    "code": _code,
    "cell": lambda text: text.replace("|", r"\|"),  # a bar would end the cell, even in a code span
    "student": _student,
}
