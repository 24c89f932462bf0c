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
    SECRET = "secret", "its text contains a secret, and this build redacts secrets"
    FLAGGED = "flagged", "the row has a flag that this build drops"
    BELOW_MIN_REWARD = "below_min_reward", "the reward is below the requested minimum"
    TOO_MANY_TOKENS = "too_many_tokens", "longer than requested in one of the variants"


class Flag(_Word):
    """Something unusual about a row (rules R3 to R5 and R8). A row can have several."""

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
    CUT_SHORT = "cut_short", "the provider cut the final turn short: too long, filtered or failed"
    EMPTY_TURN = "empty_turn", "an assistant turn has neither content nor a tool call"
    HISTORY_REWRITTEN = (
        "history_rewritten",
        "another log of the trial does not lead up to this conversation: the agent compacted its context or "
        "was reset, or it is a helper's or an earlier attempt's",
    )
    LINK_NOT_FOLLOWED = "link_not_followed", "a link in the trial leads out of it and was not followed"
    LITERAL_MARKUP = (
        "literal_markup",
        "text spells one of the tokenizer's added tokens; it is tokenized as ordinary text",
    )
    LOG_SKIPPED = "log_skipped", "another log of the trial is cut off or foreign and was skipped"
    NO_FINAL_TURN = "no_final_turn", "the last model call has a response that holds no turn"
    OTHER_CONVERSATION = "other_conversation", "another folder of the trial holds a conversation of its own"
    REASONING_FROM_OTHER_LOG = (
        "reasoning_from_other_log",
        "reasoning of a turn was taken from the log of the call that made it",
    )
    REASONING_UNREADABLE = "reasoning_unreadable", "reasoning is encrypted or redacted and was left out"
    REDACTED = "redacted", "a secret in the log was replaced by [REDACTED:KIND]; the text has none"
    STRAY_RESULT = "stray_result", "a tool result does not follow a tool call"
    THINKING_IN_CONTENT = "thinking_in_content", "content still looks as if it held thinking; it is unchanged"
    THINKING_TWICE = "thinking_twice", "reasoning was logged twice with different words; both are kept"
    UNANSWERED_CALL = "unanswered_call", "a tool call has no result before the next turn"
    UNCLOSED_THINKING = (
        "unclosed_thinking",
        "reasoning in the content is never closed; all of it counts",
    )
    UNKNOWN_ROLE = "unknown_role", "a message with an unknown role was left out"
    UNOPENED_THINKING = "unopened_thinking", "reasoning in the content is closed but was never opened"
    UNREAD_FIELD = "unread_field", "a message has words in a field that is not read"


WORRYING = (Flag.HISTORY_REWRITTEN, Flag.CUT_SHORT, Flag.THINKING_IN_CONTENT, Flag.UNREAD_FIELD)
"""Flags that a build warns about when more than 5 % of the rows have one of them."""
