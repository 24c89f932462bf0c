"""Every place in a log where a person, a tool or the model can write text."""

from __future__ import annotations

from collections.abc import Callable

from seta_dag_tests.support.conversations import Log, assistant, call, log, schema, system, tool, user

PLACES: dict[str, Callable[[str], Log]] = {
    "system": lambda text: log(system(text), user("Go."), answer=assistant("Done.", "Why.")),
    "second system": lambda text: log(user("Go."), system(text), answer=assistant("Done.", "Why.")),
    "user": lambda text: log(user(text), answer=assistant("Done.", "Why.")),
    "content": lambda text: log(user("Go."), assistant(text, "Why."), user("On."), answer=assistant(text)),
    "content, after a word": lambda text: log(
        user("Go."), assistant(f"See {text}", "Why."), user("On."), answer=assistant(f"See {text}")
    ),
    "reasoning": lambda text: log(user("Go."), assistant("", text), user("On."), answer=assistant("", text)),
    "arguments as a string": lambda text: log(user("Go."), answer=assistant("", "Why.", call("f", text))),
    "arguments as an object": lambda text: log(
        user("Go."), answer=assistant("", "Why.", call("f", {text: [text, {text: text}]}))
    ),
    "tool name": lambda text: log(user("Go."), answer=assistant("", "Why.", call(text, "{}"))),
    "tool output": lambda text: log(user("Go."), tool(text), tool(text), answer=assistant("Done.", "Why.")),
    "tool schema": lambda text: log(user("Go."), answer=assistant("Done."), tools=[schema(text, text)]),
}
"""Function per place that returns a log with `text` in that place and nowhere else."""
