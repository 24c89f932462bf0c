"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number and a noun that takes an s, for example `1 trial` and `1,200 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
