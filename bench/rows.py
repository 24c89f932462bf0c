"""Rows a CPU second: seta_dag against the reference's way, over the same conversations in the same run.

    python bench/rows.py ROLLOUTS [--most 200]

The reference's way is what camel-ai/seta-release does for a row: the chat template through
`transformers.apply_chat_template`, the whole string tokenized, and a Python scan of the ids for the
mask. It does not prove anything; ours is shown with and without its proofs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.listing.trials import find_runs, list_trials
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS

TEMPLATE = Path(__file__).parents[1] / "seta_dag_tests/golden/qwen3/chat_template_second.jinja"


def cpu(work: Callable[[], int]) -> tuple[float, int]:
    """(CPU seconds, tokens) of a piece of work."""
    started = time.process_time()
    tokens = work()
    return time.process_time() - started, tokens


def messages(talk: Conversation) -> list[dict[str, Any]]:
    """The conversation as `apply_chat_template` takes it."""
    found = []
    for turn in talk.turns:
        message: dict[str, Any] = {"role": turn.role, "content": turn.content}
        if turn.role == "assistant":
            message["reasoning_content"] = turn.reasoning
            message["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in turn.calls]
        found.append(message)
    return found


def reference(talks: list[Conversation], path: Path) -> int:
    """One variant's rows, one by one."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path), chat_template=TEMPLATE.read_text("utf-8"))
    tokens = 0
    for talk in talks:
        tools = [json.loads(tool) for tool in talk.tools] or None
        text = tokenizer.apply_chat_template(messages(talk), tools=tools, tokenize=False)
        ids = tokenizer.encode(text, add_special_tokens=False)
        scan(ids)
        tokens += len(ids)
    return tokens


def scan(ids: list[int]) -> list[int]:
    """The mask as a loop over ids finds it."""
    mask, learning = [0] * len(ids), False
    for at, token in enumerate(ids):
        if token == 151644:
            learning = ids[at + 1 : at + 2] == [77091]
        mask[at] = int(learning)
        if token == 151645:
            learning = False
    return mask


def ours(talks: list[Conversation], prover: Prover, prove: bool) -> int:
    """One variant's rows, and their proofs when asked."""
    tokens = 0
    for talk in talks:
        rendered = render(talk, "thinking")
        (made,) = prover.tokenizer.tokenize([rendered])
        if prove:
            literal = rendered.has_literal_markup
            assert not prover.prove(talk, rendered, made, VARIANTS[0], literal=literal)
        tokens += len(made.ids)
    return tokens


def main() -> None:
    """Prints one line a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rollouts", type=Path)
    parser.add_argument("--most", type=int, default=200, help="trials at the most (default 200)")
    given = parser.parse_args()
    trials = [trial for run in find_runs(given.rollouts) for trial in list_trials(given.rollouts, run)]
    chosen = [choose(given.rollouts / trial.path) for trial in trials[: given.most]]
    talks = [talk for one in chosen if one and (talk := conversation(one.log)).n_assistant_turns]
    student = find_student(DEFAULT_STUDENT)
    prover = Prover.load(student, StudentTokenizer.load(student))
    plain = cpu(lambda: reference(talks, student.tokenizer_path))
    print(f"{len(talks)} conversations, one variant")
    for name, (seconds, tokens) in {
        "the reference's way": plain,
        "seta_dag, rows": cpu(lambda: ours(talks, prover, prove=False)),
        "seta_dag, rows and proofs": cpu(lambda: ours(talks, prover, prove=True)),
    }.items():
        print(f"{name:<28} {seconds:7.2f} CPU-s  {tokens:>12,} tokens  {plain[0] / seconds:6.1f} x")


if __name__ == "__main__":
    main()
