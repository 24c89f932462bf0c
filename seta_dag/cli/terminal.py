"""The one place through which the commands print: whatever a rollout wrote, it is only ever text there.

Names, messages and arguments may hold escape sequences that move the cursor, change colours or hide a link,
and marks that reverse what is read. They are written out as escapes. Only we write colours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from seta_dag.reports.printable import on_one_line, printable

Item = TypeVar("Item")
_PIPED = 100_000  # columns: a line of a file is not wrapped


def say(text: str, err: bool = False) -> None:
    """Print text of one or more lines."""
    click.echo(printable(text), err=err)


def complain(sentence: str) -> None:
    """Print a sentence on standard error, on one line whatever is in it."""
    click.echo(f"seta-dag: {on_one_line(printable(sentence))}", err=True)


def width() -> int:
    """Return the number of columns of the terminal on standard output; a file has as many as needed."""
    return Console().width if sys.stdout.isatty() else _PIPED


def show(renderable: RenderableType) -> None:
    """Print what rich can render. Its text must be `rich.text.Text` or have gone through `printable`."""
    console(width()).print(renderable)


def console(columns: int) -> Console:
    """Return a console on standard output that takes neither markup nor emoji names from text."""
    return Console(width=columns, markup=False, emoji=False, highlight=False)


def progress_bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items and, if standard error is a terminal, show how many have been taken."""
    with Progress(
        TextColumn(f"  {what}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True, markup=False, emoji=False),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        yield from bar.track(items, total=total)


def neutral(error: click.ClickException) -> click.ClickException:
    """Return a usage error with its words made harmless: they repeat arguments."""
    for name in ("message", "option_name", "param_hint"):
        words = getattr(error, name, None)
        if isinstance(words, str):
            setattr(error, name, on_one_line(printable(words)))
    return error
