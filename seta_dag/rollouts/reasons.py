"""Why a trial gives no row, and what was unusual about a row: each word once, with its meaning.

The ledger, the cards, the README's tables and the asset checks all take the words from here.
"""

from __future__ import annotations

from enum import StrEnum


class _Word(StrEnum):
    """A string with a `meaning`: one sentence without a full stop, as the card's tables show it."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> _Word:
        word = str.__new__(cls, value)
        word._value_ = value
        word.meaning = meaning
        return word


class Reason(_Word):
    """Why a trial is dropped (rule R11). Where several apply, the first in this order is given."""

    BAD_NAME = "bad_name", "the directory name is not that of a trial"
    ROLLOUT_FAILED = "rollout_failed", "the rollout failed before it made a trial directory"
    NOT_BUILT = "not_built", "the task has not been built yet"
    TASK_FAILED = "task_failed", "building the task failed"
    NOT_VERIFIED = "not_verified", "no test report: the trial crashed, timed out or was never verified"
    CTRF_INVALID = "ctrf_invalid", "the test report is damaged"
    NO_TESTS = "no_tests", "the test report counts no tests, so there is no reward"
    NO_CONVERSATION = "no_conversation", "no usable log"
    NO_ASSISTANT_TURN = "no_assistant_turn", "the conversation has no assistant turn"
    NOT_EXACT = "not_exact", "text, token ids and mask did not pass the proof that they belong together"
    FLAGGED = "flagged", "the row has a flag that this build drops"
    BELOW_MIN_REWARD = "below_min_reward", "the reward is below the requested minimum"
    TOO_MANY_TOKENS = "too_many_tokens", "longer than requested in one of the variants"


class Flag(_Word):
    """Something unusual that was resolved while the row was built. A row can have several (rule R5)."""

    BAD_ARGUMENTS = (
        "bad_arguments",
        "the arguments of a tool call are not valid JSON; they are kept as the teacher wrote them",
    )
    BAD_CONTENT = "bad_content", "content or reasoning that is not text was left out"
    BAD_TOOL_CALL = "bad_tool_call", "a tool call without a usable form was left out"
    CTRF_MISMATCH = (
        "ctrf_mismatch",
        "the list of tests and the summary of the report disagree; the list decides",
    )
    LITERAL_MARKUP = (
        "literal_markup",
        "text spells one of the tokenizer's added tokens; it is tokenized as ordinary text",
    )
    LOG_SKIPPED = "log_skipped", "another log of the trial is cut off or foreign and was skipped"
    UNKNOWN_ROLE = "unknown_role", "a message with an unknown role was left out"
