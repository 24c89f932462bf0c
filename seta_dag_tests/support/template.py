"""The expected text of a log: the official chat template, run by `transformers` (rules R5 to R7).

Nothing here uses the code under test. `python -m seta_dag_tests.support.template` writes the golden
renderings again.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from seta_dag_tests.support.conversations import Log, Message
from seta_dag_tests.support.named_conversations import NAMED

GOLDEN = Path(__file__).parent.parent / "golden" / "qwen3"
RENDERINGS = GOLDEN / "renderings.txt"
REVISIONS = ("first", "second")

_WITHIN_WINDOW = "{%- if loop.index0 > ns.last_query_index %}"
_ASSISTANT = '{%- elif message.role == "assistant" %}'
_TOOL = '{%- elif message.role == "tool" %}'
_EMPTY_BLOCK = (
    "'\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n')"
)


def official(revision: str) -> str:
    """Read a revision of the template as Qwen published it."""
    return (GOLDEN / f"chat_template_{revision}.jinja").read_text("utf-8")


def modified(revision: str, variant: str) -> str:
    """Return the template with the change of R6, and for nothink also with that of R7.

    R6: every assistant turn is treated as if it came after the last user query, and so keeps its reasoning.
    R7: without reasoning only the last turn would get a think block, an empty one, which is left out.
    """
    # Text of the template is replaced, so the rest of it stays Qwen's own.
    template = _replaced(official(revision), _WITHIN_WINDOW, "{%- if true %}")
    if variant == "thinking":
        return template
    return _replaced(template, _EMPTY_BLOCK, "'\\n' + content.lstrip('\\n')")


def _replaced(template: str, old: str, new: str) -> str:
    assert template.count(old) == 1
    return template.replace(old, new)


def rendered(template: str, messages: list[Message], tools: list[Message]) -> str:
    """Render messages as `apply_chat_template` does."""
    text, _ = _run(template, messages, tools, marked=False)
    return text


def assistant_turns(log: Log, variant: str) -> list[str]:
    """Return the assistant turns of the expected text, as `{% generation %}` in the template marks them."""
    template = _replaced(modified("second", variant), _ASSISTANT, _ASSISTANT + "{%- generation %}")
    template = _replaced(template, _TOOL, "{%- endgeneration %}" + _TOOL)
    text, spans = _run(template, messages_of(log, variant), tools_of(log), marked=True)
    return [text[first:end] for first, end in spans]


def _run(
    template: str, messages: list[Message], tools: list[Message], marked: bool
) -> tuple[str, list[tuple[int, int]]]:
    from transformers.utils import chat_template_utils

    render: Any = chat_template_utils.render_jinja_template
    texts, spans = render(
        [messages], tools or None, chat_template=template, return_assistant_tokens_mask=marked
    )
    return clean(texts[0]), spans[0] if marked else []


def expected(log: Log, revision: str, variant: str) -> str:
    """Return the expected `chat_template_str` of a log."""
    return rendered(modified(revision, variant), messages_of(log, variant), tools_of(log))


def messages_of(log: Log, variant: str) -> list[Message]:
    """Return the messages that the template renders for a variant."""
    messages = r5_messages(log)
    return messages if variant == "thinking" else r7_messages(messages)


def clean(text: str) -> str:
    """Replace each lone surrogate by one U+FFFD."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def tools_of(log: Log) -> list[Message]:
    """Return the tool schemas of a log."""
    tools: list[Message] = log["request"].get("model_config_dict", {}).get("tools") or []
    return tools


def r5_messages(log: Log) -> list[Message]:
    """Apply rule R5 to a log whose messages are objects with a string role."""
    messages = list(log["request"]["messages"])
    answer = log.get("response")
    if isinstance(answer, dict) and answer.get("choices"):
        messages.append(answer["choices"][0]["message"])
    known = ("system", "developer", "user", "assistant", "tool")
    return [_r5_message(message) for message in messages if message["role"] in known]


def _r5_message(message: Message) -> Message:
    role = "system" if message["role"] == "developer" else message["role"]
    content = clean(_r5_content(message.get("content")))
    if role != "assistant":
        return {"role": role, "content": content}
    reasoning = message.get("reasoning_content")
    reasoning = clean(reasoning) if isinstance(reasoning, str) else ""
    if not reasoning and re.match(r"\s*<think>", content) and "</think>" in content:
        between, content = content.split("<think>", 1)[1].split("</think>", 1)
        reasoning, content = between.strip("\n"), content.lstrip("\n")
    calls = [_r5_call(call) for call in message.get("tool_calls") or []]
    return {"role": role, "content": content, "reasoning_content": reasoning, "tool_calls": calls}


def _r5_content(content: Any) -> str:
    if isinstance(content, list):
        parts = [part["text"] if isinstance(part, dict) and "text" in part else part for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _r5_call(call: Message) -> Message:
    function = call.get("function", call)
    arguments = function.get("arguments")
    return {"name": function["name"], "arguments": {} if arguments is None else arguments}


def r7_messages(messages: list[Message]) -> list[Message]:
    """Remove reasoning and append `/no_think` to the first system message, or insert one (rule R7)."""
    plain = [{**m, "reasoning_content": ""} if m["role"] == "assistant" else dict(m) for m in messages]
    systems = [m for m in plain if m["role"] == "system"]
    if not systems:
        return [{"role": "system", "content": "/no_think"}, *plain]
    if "/no_think" not in systems[0]["content"]:
        systems[0]["content"] = systems[0]["content"].rstrip() + "\n/no_think"
    return plain


_HEADING = re.compile(r"^#{8} (.+) · (thinking|nothink)\n", re.MULTILINE)


def read_renderings() -> dict[tuple[str, str], str]:
    """Read the golden file: the text of each (conversation, variant)."""
    _, *parts = _HEADING.split(RENDERINGS.read_bytes().decode())
    return {(parts[i], parts[i + 1]): parts[i + 2] for i in range(0, len(parts), 3)}


def write_renderings() -> None:
    """Write the golden file with the second revision of the template."""
    texts = [
        f"######## {name} · {variant}\n{expected(log, 'second', variant)}"
        for name, log in NAMED.items()
        for variant in ("thinking", "nothink")
    ]
    RENDERINGS.write_bytes("".join(texts).encode())


if __name__ == "__main__":
    write_renderings()
