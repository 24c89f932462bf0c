"""Write RESULTS.md: one marked block per size, which the next run of that size replaces.

Text outside the blocks stays.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

from later import LABELS as CHANGES
from later import Change
from measured import Measured
from rounds import LABELS, Round, tokens_of

RESULTS = Path(__file__).parent / "RESULTS.md"
TEMPLATE = Path(__file__).parent / "results_template.md"
PACKAGES = ("dagster", "fastokens", "tokenizers", "transformers", "datasets", "pyarrow")
RATIOS = {"a/c": ("a", "c"), "a/c2": ("a", "c2"), "c/b": ("c", "b"), "b/d": ("b", "d"), "b0/d": ("b0", "d")}
_BLOCK = re.compile(r"<!-- bench (.+?) -->\n.*?<!-- end \1 -->\n\n?", re.DOTALL)
_BLOCKS = "<!-- blocks -->\n"
"""The line after which the blocks are written, in the order of their sizes."""


def spread(values: Sequence[float], form: str = ",.1f") -> str:
    """Format the median of the values, followed by their range unless they are all the same."""
    least, most = format(min(values), form), format(max(values), form)
    return format(median(values), form) + (f" [{least} - {most}]" if least != most else "")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Format a Markdown table; all columns except the first are aligned to the right."""
    heads = list(head)
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figures(measured: Sequence[Measured]) -> list[str]:
    """Format CPU time, wall time and memory of several measurements as cells of a table."""
    return [
        spread([one.cpu for one in measured]),
        spread([one.wall for one in measured]),
        spread([one.peak_mb for one in measured], ",.0f"),
    ]


def ways(found: Sequence[Round]) -> str:
    """Return the table of all ways that were measured."""
    rows = []
    for way in (way for way in LABELS if way in found[0]):
        measured = [one[way] for one in found]
        speed = spread([tokens_of(one) / one.cpu for one in measured], ",.0f")
        rows.append([LABELS[way], *figures(measured), f"{tokens_of(measured[0]):,}", speed])
    return table(("way", "CPU s", "wall s", "peak MB", "tokens", "tokens / CPU-s"), rows)


def ratios(found: Sequence[Round]) -> str:
    """Return the table of ratios between CPU times, each taken within a round."""
    pairs = {name: pair for name, pair in RATIOS.items() if pair[0] in found[0]}
    values = ([one[over].cpu / one[under].cpu for one in found] for over, under in pairs.values())
    return table(("CPU ratio", *pairs), [("", *(spread(of_pair, ".2f") for of_pair in values))])


def parts(found: Sequence[Round]) -> str:
    """Return a sentence on the parts of the floor (median CPU seconds)."""
    of_rounds = [json.loads(one["d"].last_line)["parts"] for one in found]
    each = (f"{name} {median(one[name] for one in of_rounds):.2f}" for name in of_rounds[0])
    return f"The floor's CPU seconds: {', '.join(each)}."


def after(found: Sequence[Change]) -> str:
    """Return the table of the builds after small changes."""
    measured = {"one": [one.one for one in found], "nothing": [one.nothing for one in found]}
    rows = [(CHANGES[name], *figures(of_name)) for name, of_name in measured.items()]
    return table(("then", "CPU s", "wall s", "peak MB"), rows)


def hub(found: Sequence[Change]) -> str:
    """Return a sentence on what is new to the Hub after one new trial."""

    def of(key: str) -> str:
        return spread([one.new[key] / (1 if "shards" in key else 1e6) for one in found], ",.4g")

    return (
        f"After one new trial, both datasets together: {of('new shards')} of {of('shards')} shards are new, "
        f"{of('bytes of new files')} MB of {of('bytes')} MB in new files, {of('bytes of new chunks')} MB of "
        "them in new chunks (an estimate, see new_bytes.py)."
    )


def machine() -> str:
    """Return a sentence on date, machine and versions."""
    cpus = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {cpus[0] if cpus else platform.machine()}, "
        f"pinned to cores {cores} of {os.cpu_count()}, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, {versions}."
    )


def write(name: str, title: str, sections: Iterable[str], path: Path = RESULTS) -> None:
    """Write a block to RESULTS.md, replacing the one of the same name.

    Raises:
        SystemExit: if the file has no line for the blocks.
    """
    text = path.read_text("utf-8") if path.exists() else TEMPLATE.read_text("utf-8")
    blocks = {found[1]: found[0].rstrip() for found in _BLOCK.finditer(text)}
    body = "\n\n".join([f"## {title}", *sections])
    blocks[name] = f"<!-- bench {name} -->\n{body}\n<!-- end {name} -->"
    # All blocks are removed and written again, so that they are always in order.
    ordered = "\n\n".join(blocks[key] for key in sorted(blocks, key=_by_number))
    head, mark, tail = _BLOCK.sub("", text).partition(_BLOCKS)
    if not mark:
        raise SystemExit(f"{path}: the line {_BLOCKS.strip()} is missing; add it where the blocks belong")
    path.write_text(f"{head}{_BLOCKS}\n{ordered}\n\n{tail.lstrip()}", "utf-8")


def _by_number(name: str) -> tuple[int, str]:
    return int(name.split()[0]), name
