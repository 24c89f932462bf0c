"""Render an inspection for a terminal: one line per turn, with the tokens at both of its ends."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seta_dag.reports.printable import on_one_line, printable
from seta_dag.reports.row.display_token import Token
from seta_dag.reports.row.facts import LOG, facts
from seta_dag.reports.row.inspection import Inspection
from seta_dag.reports.row.origins import explained_flags, reasoning_sources
from seta_dag.reports.row.turn_spans import TurnSpan

_AT_EACH_END = 4
_SOURCE_WIDTH = 20  # the name of a log takes two lines, so that tokens have room
_STYLES = {"text": "", "markup": "blue", "literal": "bold yellow"}


def as_renderable(inspection: Inspection) -> RenderableType:
    """Return what a rich console of any width can print.

    Text of the rollout is escaped, so it can neither move the cursor nor change colours.
    """
    title = f"{inspection.row['trial_uid']}, {inspection.variant}, decoded by {inspection.student.name}"
    heading = Text(printable(title), style="bold")
    return Group(heading, _turns(inspection), _facts(inspection), *_flags(inspection))


def _turns(inspection: Inspection) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("turn", "tokens", "count", "trainable"):
        table.add_column(name, justify="left" if name == "turn" else "right", no_wrap=True)
    sources = reasoning_sources(inspection)
    if sources:
        table.add_column("reasoning from", overflow="fold", max_width=_SOURCE_WIDTH)
    table.add_column("first and last tokens", overflow="fold")
    for turn in inspection.turns:
        source = [on_one_line(printable(sources.get(turn.number, "")))] if sources else []
        cells = (*_span(inspection, turn), *map(Text, source), _ends(inspection, turn))
        table.add_row(*cells, style="green" if _trainable(inspection, turn) else "")
    return table


def _trainable(inspection: Inspection, turn: TurnSpan) -> int:
    return inspection.trainable(turn.first, turn.end)


def _span(inspection: Inspection, turn: TurnSpan) -> Iterable[RenderableType]:
    yield Text(f"{turn.number} {on_one_line(printable(turn.role))}")
    yield f"{turn.first} to {turn.end - 1}"
    yield f"{turn.end - turn.first}"
    yield f"{_trainable(inspection, turn) or 'not'}"


def _ends(inspection: Inspection, turn: TurnSpan) -> Text:
    # A short turn is shown completely: its two ends must not overlap.
    middle = min(turn.first + _AT_EACH_END, turn.end)
    last = max(turn.end - _AT_EACH_END, middle)
    first = _show(inspection.tokens(turn.first, middle))
    rest = _show(inspection.tokens(last, turn.end))
    gap = "\n… " if last > middle else "\n"
    return Text.assemble(first, gap, rest) if last < turn.end else first


def _show(tokens: Iterable[Token]) -> Text:
    """Return the id and text of each token, with white space as symbols."""
    texts = [
        Text.assemble((f"{token.id} ", "dim"), (_visible(token.text), _STYLES[token.kind]))
        for token in tokens
    ]
    return Text("  ").join(texts)


def _visible(text: str) -> str:
    return on_one_line(text).replace(" ", "·")


def _facts(inspection: Inspection) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts(inspection):
        if name != LOG:
            table.add_row(name, Text(on_one_line(printable(value))))
    return table


def log_line(inspection: Inspection) -> str:
    """Return the path of the row's log, to be printed as it is: a path that is folded cannot be copied."""
    return f"{LOG}  {inspection.row['conv_json_path']}"


def _flags(inspection: Inspection) -> Iterable[RenderableType]:
    """Yield each flag with its sentence, and below it the places where it arose."""
    for flag in explained_flags(inspection):
        yield Text.assemble("\n", (flag.name, "bold yellow"), f"  {flag.meaning}")
        yield from (Text(f"    {on_one_line(printable(place))}") for place in flag.places)
