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


_ROLES = {"developer": "system", "function": "tool"} | {
    role: role for role in ("system", "user", "assistant", "tool")
}
_MARKS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "◁think▷": "◁/think▷",
    "[THINK]": "[/THINK]",
    "<seed:think>": "</seed:think>",
}
# One expression per mark: (block, rest), where the rest is missing if the block is never closed.
_BLOCKS = [
    re.compile(
        rf"[\s\ufeff\u200b-\u200d\u2060]*{re.escape(first)}(.*?)(?:{re.escape(last)}(?:\r?\n)*(.*)|\Z)",
        re.DOTALL,
    )
    for first, last in _MARKS.items()
]
_UNOPENED = re.compile(r"(.*?(?:^|\n))</think>[ \t\r]*(?=\n|$)(?:\r?\n)*(.*)", re.DOTALL)
_BREAKS = re.compile(r"\A(?:\r?\n)+|(?:\r?\n)+\Z")


def r5_messages(log: Log) -> list[Message]:
    """Apply rule R5 to a log whose messages are objects with a string role."""
    messages = list(log["request"]["messages"])
    answer = log.get("response")
    if isinstance(answer, dict) and answer.get("choices"):
        messages.append(answer["choices"][0]["message"])
    elif isinstance(answer, dict) and answer.get("streaming") and answer.get("finish_reason") == "stop":
        messages.append({"role": "assistant", "content": answer["content"]})
    return [_r5_message(message) for message in messages if message["role"] in _ROLES]


def _r5_message(message: Message) -> Message:
    role, content = _ROLES[message["role"]], _r5_content(message.get("content"))
    if role != "assistant":
        return {"role": role, "content": clean(content)}
    logged = message.get("reasoning_content")
    reasoning, content = _r5_inline(logged if isinstance(logged, str) else "", content)
    calls = [_r5_call(call) for call in message.get("tool_calls") or []]
    return {
        "role": role,
        "content": clean(content),
        "reasoning_content": clean(reasoning),
        "tool_calls": calls,
    }


def _r5_inline(reasoning: str, content: str) -> tuple[str, str]:
    """Return (reasoning, content) of an assistant turn, from the reasoning beside its content."""
    had_reasoning, blocks = bool(reasoning.strip()), list[str]()
    while found := next((match for block in _BLOCKS if (match := block.match(content))), None):
        blocks.append(_BREAKS.sub("", found[1]))
        content = found[2] or ""
    unopened = None if blocks or had_reasoning else _UNOPENED.match(content)
    if unopened and "<think>" not in unopened[1]:
        blocks, content = [_BREAKS.sub("", unopened[1])], unopened[2]
    for block in blocks:
        if block.strip() not in ("", reasoning.strip()):
            reasoning = f"{reasoning}\n{block}" if reasoning.strip() else block
    return reasoning if reasoning.strip() else "", content


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
    plain = [_r7_message(message) for message in messages]
    systems = [m for m in plain if m["role"] == "system"]
    if not systems:
        return [{"role": "system", "content": "/no_think"}, *plain]
    if "/no_think" not in systems[0]["content"]:
        systems[0]["content"] = systems[0]["content"].rstrip() + "\n/no_think"
    return plain


def _r7_message(message: Message) -> Message:
    if not message.get("reasoning_content"):
        return dict(message)
    return {**message, "reasoning_content": "", "content": message["content"].lstrip("\n")}


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
