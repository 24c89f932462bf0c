"""A plain loop over the trials, as the public builder (camel-ai/seta-release) writes one variant.

    python bench/ways/reference.py ROLLOUTS OUT thinking|nothink

For each trial: take the largest log, render it with `transformers`, encode it with HF tokenizers, scan the
ids for the mask, and write a line of jsonl. In the end, `datasets` converts the lines to Parquet. Nothing is
proved or checked.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = (
    "1"  # before `transformers` is imported; requests to the Hub would only take time
)

from datasets import Features, List, Value, load_dataset
from transformers import PreTrainedTokenizerFast

from seta_dag.tokens.student.student import qwen3_tokenizer_path

TEMPLATE = Path(__file__).parents[2] / "seta_dag_tests/golden/qwen3/chat_template_second.jinja"
THINK_BLOCK = re.compile(r"<think>\n.*?\n</think>\n\n", re.DOTALL)
IM_START, IM_END, ASSISTANT = 151644, 151645, 77091  # token ids of Qwen3
COUNTS = ("cached_tokens", "completion_tokens", "prompt_tokens", "total_tokens")
FEATURES = Features(
    {
        **{name: Value("string") for name in ("task_id", "trial_uid")},
        "reward": Value("float64"),
        **{name: Value("string") for name in ("model", "conv_json_path")},
        "provider_token_counts": {name: Value("int64") for name in COUNTS},
        **{name: Value("int64") for name in ("local_token_count", "n_assistant_tokens", "n_messages")},
        **{name: Value("string") for name in ("raw_conv_json", "chat_template_str")},
        "input_ids": List(Value("int32")),
        "loss_mask": List(Value("int64")),
    }
)

Row = dict[str, Any]


def reward(trial: Path) -> float | None:
    """Return passed tests / all tests, or None if the report is missing or not readable."""
    try:
        summary = json.loads((trial / "verifier" / "ctrf.json").read_text("utf-8"))["results"]["summary"]
    except (OSError, ValueError):
        return None
    return summary["passed"] / summary["tests"] if summary["tests"] else 0.0


def largest_log(trial: Path) -> Path | None:
    """Return the largest log, which is normally the last: each contains all messages so far."""
    logs = trial.glob("CAMEL_LOG_DIR/*/conv_*.json")
    return max(logs, key=lambda path: path.stat().st_size, default=None)


def messages_of(log: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of the request, and the answer to it."""
    messages = list(log["request"]["messages"])
    messages += [choice["message"] for choice in log.get("response", {}).get("choices", [])[:1]]
    return [{**message, "content": message.get("content") or ""} for message in messages]


def text_of(tokenizer: PreTrainedTokenizerFast, log: dict[str, Any], variant: str) -> str:
    """Render the conversation with the chat template of the student."""
    messages = messages_of(log)
    if variant == "nothink":
        messages[0]["content"] = messages[0]["content"].rstrip() + "\n/no_think"
    tools = log["request"].get("model_config_dict", {}).get("tools")
    text: str = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)
    return THINK_BLOCK.sub("", text) if variant == "nothink" else text


def mask_of(ids: list[int]) -> list[int]:
    """Return the loss mask: 1 from each assistant header through the newline after its <|im_end|>."""
    mask = [0] * len(ids)
    at = 0
    while at < len(ids):
        if ids[at] == IM_START and ids[at + 1 : at + 2] == [ASSISTANT]:
            start = at
            while at < len(ids) and ids[at] != IM_END:
                at += 1
            for trained in range(start, min(at + 2, len(ids))):
                mask[trained] = 1
        at += 1
    return mask


def row_of(tokenizer: PreTrainedTokenizerFast, rollouts: Path, trial: Path, variant: str) -> Row | None:
    """Return the row of a trial, or None if it has no usable report or log."""
    score, path = reward(trial), largest_log(trial)
    if score is None or path is None:
        return None
    raw = path.read_text("utf-8")
    try:
        log = json.loads(raw)
    except ValueError:
        return None
    text = text_of(tokenizer, log, variant)
    ids = tokenizer.encode(text, add_special_tokens=False)
    mask, usage = mask_of(ids), log.get("response", {}).get("usage") or {}
    return {
        "task_id": trial.name.rpartition("_t")[0],
        "trial_uid": trial.name,
        "reward": score,
        "model": log["model"],
        "conv_json_path": str(path.relative_to(rollouts)),
        "provider_token_counts": {name: usage.get(name) for name in COUNTS},
        "local_token_count": len(ids),
        "n_assistant_tokens": sum(mask),
        "n_messages": len(messages_of(log)),
        "raw_conv_json": raw,
        "chat_template_str": text,
        "input_ids": ids,
        "loss_mask": mask,
    }


def rows(rollouts: Path, variant: str) -> Iterator[Row]:
    """Yield a row per trial that has a report and a log."""
    template = TEMPLATE.read_text("utf-8")
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(qwen3_tokenizer_path()), chat_template=template)
    for trial in sorted((rollouts / "trials").iterdir()):
        row = row_of(tokenizer, rollouts, trial, variant)
        if row is not None:
            yield row


def main() -> None:
    """Write one variant, and print the number of its tokens."""
    rollouts, out, variant = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    out.mkdir(parents=True)
    lines, tokens = out / f"{variant}.jsonl", 0
    with lines.open("w", encoding="utf-8") as file:
        for row in rows(rollouts, variant):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            tokens += row["local_token_count"]
    cache = str(out / "cache")
    dataset = load_dataset("json", data_files=str(lines), split="train", features=FEATURES, cache_dir=cache)
    dataset.to_parquet(out / f"{variant}.parquet")
    print(json.dumps({"tokens": tokens}))


if __name__ == "__main__":
    main()
