"""Rows per CPU second: seta_dag and the reference's way, with the same conversations in the same run.

    python bench/rows.py ROLLOUTS [--most 200]

The reference's way is what camel-ai/seta-release does for a row: render the chat template with
`transformers.apply_chat_template`, tokenize the text as one string, and compute the mask with a loop over
the ids. It proves nothing; seta_dag is shown with and without its proofs.
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
from seta_dag.rollouts.sources.dialects import conversation as read_conversation
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS

TEMPLATE = Path(__file__).parents[1] / "seta_dag_tests/golden/qwen3/chat_template_second.jinja"
IM_START, IM_END, ASSISTANT = 151644, 151645, 77091  # token ids of Qwen3


def cpu(work: Callable[[], int]) -> tuple[float, int]:
    """Call `work`, which returns a number of tokens; return (CPU seconds, tokens)."""
    started = time.process_time()
    tokens = work()
    return time.process_time() - started, tokens


def messages(conversation: Conversation) -> list[dict[str, Any]]:
    """Return the conversation as `apply_chat_template` expects it."""
    found = []
    for turn in conversation.turns:
        message: dict[str, Any] = {"role": turn.role, "content": turn.content}
        if turn.role == "assistant":
            message["reasoning_content"] = turn.reasoning
            message["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in turn.calls]
        found.append(message)
    return found


def reference(conversations: list[Conversation], path: Path) -> int:
    """Make the rows of one variant one by one; return the number of tokens."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path), chat_template=TEMPLATE.read_text("utf-8"))
    tokens = 0
    for conversation in conversations:
        tools = [json.loads(tool) for tool in conversation.tools] or None
        text = tokenizer.apply_chat_template(messages(conversation), tools=tools, tokenize=False)
        ids = tokenizer.encode(text, add_special_tokens=False)
        scan(ids)
        tokens += len(ids)
    return tokens


def scan(ids: list[int]) -> list[int]:
    """Return the loss mask, found with a loop over the ids as the reference does."""
    mask, trained = [0] * len(ids), False
    for at, token in enumerate(ids):
        if token == IM_START:
            trained = ids[at + 1 : at + 2] == [ASSISTANT]
        mask[at] = int(trained)
        if token == IM_END:
            trained = False
    return mask


def ours(conversations: list[Conversation], prover: Prover, prove: bool) -> int:
    """Make the rows of one variant, and prove them if `prove`; return the number of tokens."""
    tokens = 0
    for conversation in conversations:
        rendered = render(conversation, "thinking")
        (tokenized,) = prover.tokenizer.tokenize([rendered])
        if prove:
            literal = rendered.has_literal_markup
            assert not prover.prove(conversation, rendered, tokenized, VARIANTS[0], literal=literal)
        tokens += len(tokenized.ids)
    return tokens


def main() -> None:
    """Print one line per way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rollouts", type=Path)
    parser.add_argument("--most", type=int, default=200, help="largest number of trials to use (default 200)")
    given = parser.parse_args()
    trials = [trial for run in find_runs(given.rollouts) for trial in list_trials(given.rollouts, run)]
    chosen = [choose(given.rollouts / trial.path) for trial in trials[: given.most]]
    parsed = (read_conversation(one.log) for one in chosen if one)
    conversations = [one for one in parsed if one.n_assistant_turns]
    student = find_student(DEFAULT_STUDENT)
    prover = Prover.load(student, StudentTokenizer.load(student))
    plain = cpu(lambda: reference(conversations, student.tokenizer_path))
    print(f"{len(conversations)} conversations, one variant")
    for name, (seconds, tokens) in {
        "the reference's way": plain,
        "seta_dag, rows": cpu(lambda: ours(conversations, prover, prove=False)),
        "seta_dag, rows and proofs": cpu(lambda: ours(conversations, prover, prove=True)),
    }.items():
        print(f"{name:<28} {seconds:7.2f} CPU-s  {tokens:>12,} tokens  {plain[0] / seconds:6.1f} x")


if __name__ == "__main__":
    main()
