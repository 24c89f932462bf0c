"""The chat templates that the renderer equals, and the one that a student's folder holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from seta_dag.errors import StudentError

QWEN3_TEMPLATE_SHA256 = "a55ee1b1660128b7098723e0abcd92caa0788061051c62d51cbe87d9cf1974d8"
KNOWN_TEMPLATES: Mapping[str, str] = {
    "87a2728cb8dc9fe424d624542f6060ec05a1d285ebbec578bb078900e33396b5": "Qwen3, first revision",
    QWEN3_TEMPLATE_SHA256: "Qwen3, second revision",
}
"""sha256 of the chat templates that the renderer equals; they differ for content that is no string."""


def known_template(name: str, folder: Path) -> str:
    """The sha256 of the template in the folder of the student `name`.

    Raises `StudentError` for one that the renderer does not know, or none.
    """
    digest = hashlib.sha256(_template(folder).encode()).hexdigest()
    if digest not in KNOWN_TEMPLATES:
        known = ", ".join(KNOWN_TEMPLATES.values())
        raise StudentError(
            f"student {name}: its chat template ({digest[:12]}) is none that the renderer knows ({known})"
        )
    return digest


def _template(folder: Path) -> str:
    """The template's text, empty where the folder has none."""
    jinja, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    try:
        if jinja.is_file():
            return jinja.read_text("utf-8")
        template = json.loads(config.read_text("utf-8")).get("chat_template")
    except (OSError, ValueError, AttributeError):
        return ""
    return template if isinstance(template, str) else ""


def template_family(sha256: str) -> str | None:
    """Return the model family of a known chat template as a tag for the Hub, for example `qwen3`."""
    name = KNOWN_TEMPLATES.get(sha256)
    return name.partition(",")[0].lower() if name else None
