"""Chat templates that have a renderer, and a check of a student's template."""

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
"""sha256 and name of each supported template.

The two revisions differ only for content that is not a string, which rule R5 never leaves.
"""


def known_template(name: str, folder: Path) -> str:
    """Return the sha256 of the chat template in a student's folder.

    `name` is the student's name, for the error message.

    Raises:
        StudentError: The folder has no chat template, or one without a renderer.
    """
    digest = hashlib.sha256(_template(folder).encode()).hexdigest()
    if digest not in KNOWN_TEMPLATES:
        known = ", ".join(KNOWN_TEMPLATES.values())
        raise StudentError(
            f"student {name}: its chat template (sha256 {digest[:12]}) is not supported; "
            f"use a student with one of these: {known}"
        )
    return digest


def _template(folder: Path) -> str:
    """Return the template's text, or an empty string if the folder has none."""
    jinja, config = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    # Transformers prefers the file over the configuration, too. A list of named templates is refused.
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
