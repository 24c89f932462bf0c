"""Compare the row counts that a dataset's card states with its shards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seta_dag.audit.rows import count_rows
from seta_dag.hub.card.parse import parse_card

# "1,488 rows" and "**1,488** examples", but not the 5 of "1.5 rows": a digit, dot or comma before it.
_ROWS_CLAIMED = re.compile(r"(?<![\d.,])(\d[\d,]*)[*_`]*\s+(?:rows|examples)\b")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


def _train_counts(splits: Any) -> Iterator[int]:
    """Yield the row counts of train splits in anyone's YAML, which may have any form."""
    for split in splits if isinstance(splits, list) else ():
        if (
            isinstance(split, dict)
            and split.get("name") == "train"
            and type(split.get("num_examples")) is int
        ):
            yield split["num_examples"]


def verify_counts(folder: Path) -> list[str]:
    """Compare the row counts in the card's YAML and text with the shards.

    Returns one sentence per number that differs; an empty list means that all of them agree. A card that is
    missing or unreadable gives one sentence too.

    Raises:
        DatasetError: `folder` has no shards, or one of them is not readable.
    """
    n_rows = count_rows(folder)
    try:
        card = parse_card((folder / "README.md").read_text("utf-8"))
    except (OSError, ValueError) as error:  # DatasetError and UnicodeDecodeError are both ValueErrors
        return [f"{folder / 'README.md'}: no card to compare {n_rows:,} rows with ({error})"]
    # `dataset_info` is a list in cards of datasets with several configurations.
    splits = card.at("dataset_info", "splits") or card.at("dataset_info", 0, "splits")
    in_yaml = set(_train_counts(splits))
    # Code is skipped: an example such as `take 100 rows` claims nothing about the dataset.
    claims = _ROWS_CLAIMED.findall(_CODE.sub("", card.text))
    in_text = {int(number.replace(",", "")) for number in claims}
    return [
        f"the card's {place} says {number:,} rows, the shards hold {n_rows:,}"
        for place, numbers in (("YAML", in_yaml), ("text", in_text))
        for number in sorted(numbers - {n_rows})
    ]
