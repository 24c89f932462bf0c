"""R6 and R7: the renderer equals the official chat template, but for what the rules change."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seta_dag.rollouts.conversation import Conversation, conversation
from seta_dag.tokens.markup import ADDED_TOKENS, IM_END, IM_START, MARKUP, Markup
from seta_dag.tokens.render import VARIANTS, Rendered, Variant, render
from seta_dag_tests.support import template
from seta_dag_tests.support.conversations import Log, log, logs, messages, texts, user
from seta_dag_tests.support.named_conversations import NAMED

GOLDEN = template.read_renderings()
CASES = [(name, variant) for name in NAMED for variant in VARIANTS]


def rendering(made: Log, variant: Variant) -> Rendered:
    """The log's conversation, rendered."""
    return render(conversation(made), variant)


def test_each_trap_and_forty_conversations_are_named() -> None:
    assert {name[:6] for name in NAMED if name.startswith("trap")} == {f"trap {n}" for n in range(1, 9)}
    assert len(NAMED) >= 40
    assert set(GOLDEN) == set(CASES)


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_rendering_equals_the_golden_one(name: str, variant: Variant) -> None:
    assert rendering(NAMED[name], variant).text == GOLDEN[name, variant]


@pytest.mark.parametrize("revision", template.REVISIONS)
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_golden_rendering_is_the_templates(name: str, variant: Variant, revision: str) -> None:
    assert template.expected(NAMED[name], revision, variant) == GOLDEN[name, variant]


@pytest.mark.parametrize("revision", template.REVISIONS)
@pytest.mark.parametrize("variant", VARIANTS)
@given(made=logs(texts(*template_texts) if (template_texts := ()) else texts()))
def test_rendering_equals_the_changed_template(made: Log, variant: Variant, revision: str) -> None:
    assume(template.r5_messages(made))
    assert rendering(made, variant).text == template.expected(made, revision, variant)
