"""The renderer gives the text of the official chat template, with the changes of rules R6 and R7."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.markup import ADDED_TOKENS, IM_END, IM_START, MARKUP, THINK, Markup
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support import template
from seta_dag_tests.support.conversations import Log, log, logged_texts, logs, messages, plain_logs, user
from seta_dag_tests.support.named_conversations import NAMED
from seta_dag_tests.support.places import PLACES

GOLDEN = template.read_renderings()
CASES = [(name, variant) for name in NAMED for variant in VARIANTS]


def rendering(logged: Log, variant: Variant) -> Rendered:
    """Render the conversation of a log."""
    return render(conversation(logged), variant)


def after_one_query() -> st.SearchStrategy[Log]:
    """Logs in which every assistant turn comes after the last user query."""
    later = st.lists(messages(logged_texts(), "assistant", "tool", "system"), min_size=1, max_size=6)
    query = logged_texts().map(lambda text: user(f"Go {text}"))
    return st.builds(lambda first, rest: log(first, *rest), query, later)


def test_golden_renderings_cover_each_trap_and_forty_conversations() -> None:
    assert {name[:6] for name in NAMED if name.startswith("trap")} == {f"trap {n}" for n in range(1, 9)}
    assert len(NAMED) >= 40
    assert set(GOLDEN) == set(CASES)


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_rendering_is_the_golden_one(name: str, variant: Variant) -> None:
    assert rendering(NAMED[name], variant).text == GOLDEN[name, variant]


@pytest.mark.parametrize("revision", template.REVISIONS)
def test_golden_renderings_are_those_of_the_template(revision: str) -> None:
    found = {(name, variant): template.expected(NAMED[name], revision, variant) for name, variant in CASES}
    assert found == GOLDEN


@given(drawn=logs())
def test_rendering_is_that_of_the_modified_template(drawn: Log) -> None:
    assume(template.r5_messages(drawn))
    expected = {(v, r): template.expected(drawn, r, v) for v in VARIANTS for r in template.REVISIONS}
    assert {(v, r): rendering(drawn, v).text for v, r in expected} == expected


@given(drawn=after_one_query())
def test_rendering_after_one_query_is_that_of_the_official_template(drawn: Log) -> None:
    messages = template.r5_messages(drawn)
    official = {template.rendered(template.official(r), messages, []) for r in template.REVISIONS}
    assert {rendering(drawn, "thinking").text} == official


@given(drawn=logs())
def test_spans_are_the_assistant_turns_in_order(drawn: Log) -> None:
    assume(template.r5_messages(drawn))
    for variant in VARIANTS:
        one = rendering(drawn, variant)
        assert ["".join(one.pieces[a:b]) for a, b in one.spans] == template.assistant_turns(drawn, variant)


@given(drawn=logs())
def test_pieces_of_ordinary_text_are_never_adjacent_or_empty(drawn: Log) -> None:
    for variant in VARIANTS:
        pieces = rendering(drawn, variant).pieces
        markup = [type(piece) is Markup for piece in pieces]
        assert all(piece in MARKUP for piece in itertools.compress(pieces, markup))
        assert all(pieces)
        assert all(first or second for first, second in itertools.pairwise(markup))


@given(drawn=logs())
def test_each_span_is_one_turn_with_header_and_end(drawn: Log) -> None:
    for one in (rendering(drawn, variant) for variant in VARIANTS):
        for first, end in one.spans:
            assert one.pieces[first] is IM_START
            assert one.pieces[first + 1].startswith("assistant\n")
            assert one.pieces[end - 2] is IM_END
            assert one.pieces[end - 1] == "\n"


@given(drawn=logs())
def test_thinking_has_all_reasoning_and_nothink_none(drawn: Log) -> None:
    found = template.r5_messages(drawn)
    logged = sum(bool(message.get("reasoning_content")) for message in found)
    last_is_bare = bool(found) and found[-1]["role"] == "assistant" and not found[-1]["reasoning_content"]
    blocks = {variant: _markup(rendering(drawn, variant)).count(THINK) for variant in VARIANTS}
    assert blocks == {"thinking": logged + last_is_bare, "nothink": 0}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("place", PLACES)
def test_an_added_token_in_text_is_literal_markup(place: str, variant: Variant) -> None:
    found = {token: rendering(PLACES[place](token), variant).has_literal_markup for token in ADDED_TOKENS}
    expected = dict.fromkeys(ADDED_TOKENS, place != "reasoning" or variant == "thinking")
    if place == "content":
        expected[THINK] = False  # at the head of the content it opens reasoning
    assert found == expected


@given(drawn=plain_logs())
def test_parts_of_added_tokens_are_not_literal_markup(drawn: Log) -> None:
    assert not any(rendering(drawn, variant).has_literal_markup for variant in VARIANTS)


def _markup(one: Rendered) -> list[str]:
    return [piece for piece in one.pieces if type(piece) is Markup]
