"""The two variants that every dataset is built in."""

from __future__ import annotations

from typing import Literal

Variant = Literal["thinking", "nothink"]
"""`thinking` keeps the teacher's reasoning; `nothink` removes it and adds `/no_think` (rules R6 and R7)."""

VARIANTS: tuple[Variant, ...] = ("thinking", "nothink")
