"""Check a card against its dataset, with the numbers parsed out of README.md as a reader would see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import count_flags, count_turns
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.dataset.stats import Stats, one_line, read_stats
from seta_dag.hub.card.check_words import wrong_words
from seta_dag.hub.card.parse import Card, features_schema, holds_rows, parse_card, same_number
from seta_dag.store.parquet import opened
from seta_dag.tokens.variants import VARIANTS, Variant

_KINDS = ("superseded", "dropped", "row")
Expected = Mapping[str, Sequence[float]]


def check_card(
    dataset: Path,
    ledger_lines: Iterable[LedgerLine],
    memo: Path | None = None,
    filters: Filters | None = None,
) -> list[str]:
    """Return a sentence for each difference between README.md and the shards or the ledger.

    `memo` is as in `read_shards`; `filters` are those of the ledger (None: none were set). Raises what
    `read_stats` raises if the shards cannot be read.
    """
    readme, lines, stats = dataset / "README.md", list(ledger_lines), read_stats(dataset, memo)
    try:
        card = parse_card(readme.read_text("utf-8"))
    except (OSError, ValueError) as error:  # DatasetError is a ValueError, and so is text that is not UTF-8
        return [f"{readme}: {error}; materialize the card again"]
    variant = next((row[1] for row in card.tables.get("Build", ()) if row[0] == "variant"), None)
    if variant not in VARIANTS:
        return [f"{readme}: Build: unknown variant {variant}"]
    wrong = _wrong_numbers(card, dataset, stats, lines, variant)
    # Wrong numbers change whole lines, too, so the words are compared only once the numbers agree.
    wrong = wrong or list(wrong_words(card, stats, lines, variant, filters or Filters()))
    return [f"{readme}: {sentence}" for sentence in wrong]


def _wrong_numbers(
    card: Card, dataset: Path, stats: Stats, lines: Sequence[LedgerLine], variant: Variant
) -> list[str]:
    return [
        *_front_matter(card, stats, dataset),
        *_table(card, "Statistics", _statistics(stats), "the shards"),
        *_table(card, "Assistant turns", _turns(lines, variant), "the ledger"),
        *_table(card, "Rows by model", _counted(stats.models), "the shards"),
        *_table(card, "Filtering", _filtering(lines), "the ledger"),
        *_table(card, "Flags", _flags(lines), "the ledger"),
        *_table(card, "Merging", _runs(lines), "the ledger", first=2),
        *_against_ledger(card, lines, variant),
    ]


def _front_matter(card: Card, stats: Stats, dataset: Path) -> Iterator[str]:
    shards = shard_paths(dataset)
    split = {"name": "train", "num_bytes": stats.num_bytes, "num_examples": stats.rows}
    sizes = {"splits": [split], "download_size": stats.download_size, "dataset_size": stats.num_bytes}
    for key, value in sizes.items():
        if card.at("dataset_info", key) != value:
            yield f"its YAML gives {key} {card.at('dataset_info', key)}, the shards {value}"
    with opened(shards[0]) as file:
        schema = file.schema_arrow
    if features_schema(card.at("dataset_info", "features")) != schema:
        yield "the features in its YAML are not the columns of the shards"
    if not holds_rows(card.at("size_categories", 0), stats.rows):
        yield f"its YAML gives size category {card.at('size_categories', 0)} for {stats.rows} rows"
    pattern = card.at("configs", 0, "data_files", 0, "path")
    if not all(fnmatchcase(f"data/{shard.name}", str(pattern)) for shard in shards):
        yield f"its YAML names the files {pattern}, which are not all shards"


def _table(card: Card, heading: str, expected: Expected, source: str, first: int = 1) -> Iterator[str]:
    """Compare all rows of the table below `heading`; numbers are in the cells from index `first` on."""
    if card.headings.count(heading) > 1:
        yield f"it has more than one section {heading}"
    width = max((len(values) for values in expected.values()), default=1)
    written = card.numbers(heading, first, width)
    if len(written) != len(card.tables.get(heading, ())):
        yield f"{heading}: one label appears in two rows"
    # Both directions: labels that are missing from the card, and labels that should not be on it.
    for label in [*expected, *(label for label in written if label not in expected)]:
        yield from _row(f"{heading}, {label}", written.get(label, []), expected.get(label, ()), source)


def _row(what: str, written: Sequence[str], expected: Sequence[float], source: str) -> Iterator[str]:
    if not expected and all(same_number(number, 0) for number in written):
        return  # a run without trials is on the card, with zeros, but not in the ledger
    if len(written) != len(expected) or not all(map(same_number, written, expected)):
        numbers = ", ".join(f"{value:,}" for value in expected) or "nothing"
        yield f"{what}: it says {', '.join(written) or 'nothing'}, {source} {numbers}"


def _statistics(stats: Stats) -> Expected:
    return {
        "rows": (stats.rows,),
        "tasks": (stats.tasks,),
        "tokens": (stats.tokens,),
        "trainable tokens": (stats.trainable_tokens, stats.trainable_share),
        "tokens per row (mean)": (stats.tokens_mean,),
        "tokens per row (median)": (stats.tokens_median,),
        "tokens per row (max)": (stats.tokens_max,),
        "rows with reward 1.0": (stats.solved, stats.solved_share),
        "mean reward": (stats.mean_reward,),
    }


def _filtering(lines: Sequence[LedgerLine]) -> Expected:
    kinds = Counter(line.disposition for line in lines)
    reasons = Counter(f"dropped: {line.reason}" for line in lines if line.disposition == "dropped")
    totals = {"seen": len(lines), "rows": kinds["row"]}
    return _counted(totals | {kind: kinds[kind] for kind in _KINDS[:2]} | reasons)


def _turns(lines: Sequence[LedgerLine], variant: Variant) -> Expected:
    turns, with_reasoning = count_turns(lines)
    with_reasoning = with_reasoning if variant == "thinking" else 0
    return {"all": (turns,), "with reasoning": (with_reasoning, with_reasoning / max(turns, 1))}


def _flags(lines: Sequence[LedgerLine]) -> Expected:
    return _counted(count_flags(lines))


def _runs(lines: Sequence[LedgerLine]) -> Expected:
    counts = Counter((one_line(line.run), line.disposition) for line in lines)
    of_run = {run: [counts[run, kind] for kind in _KINDS] for run, _ in counts}
    return {run: (sum(numbers), *numbers) for run, numbers in of_run.items()}


def _counted(counts: Mapping[str, int]) -> Expected:
    return {one_line(name): (count,) for name, count in counts.items()}


def _against_ledger(card: Card, lines: Sequence[LedgerLine], variant: Variant) -> Iterator[str]:
    """Compare the statistics with the ledger too: shards and ledger must describe the same rows."""
    rows = [line for line in lines if line.disposition == "row"]
    expected = {"rows": len(rows), "tokens": sum(line.tokens(variant) for line in rows)}
    expected["trainable tokens"] = sum(line.trainable_tokens(variant) for line in rows)
    written = card.numbers("Statistics", 1, 1)
    for label, value in expected.items():
        # Only the first number: trainable tokens also have a share in their cell.
        yield from _row(f"Statistics, {label}", written.get(label, [])[:1], (value,), "the ledger")
