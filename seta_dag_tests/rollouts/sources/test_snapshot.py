"""The log with the conversation is chosen among all logs and damaged files of a trial (R4)."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.rollouts.sources.snapshot import choose
from seta_dag_tests.support.conversations import (
    Log,
    assistant,
    log,
    logged,
    response,
    system,
    user,
    write_log,
)


def turns(n: int, *, answered: bool = True, size: int = 0, **more: Any) -> Log:
    """Return a log with `n` assistant turns, or with n - 1 if the last model call got no answer.

    Args:
        n: number of assistant turns, including the final turn.
        answered: whether there is a final turn.
        size: number of characters in the last user message.
        more: other keys of the log.
    """
    earlier = [message for k in range(n - 1) for message in (user(f"{k}"), assistant(f"{k}", "why"))]
    messages = log(*earlier, user("x" * size), answer=assistant("last") if answered else None)
    return {**messages, **more}


def failed_call(n: int, **more: Any) -> Log:
    """Return the log of a failed model call after `n` assistant turns."""
    return turns(n + 1, answered=False, **more)


UNUSABLE: dict[str, bytes] = {
    "empty": b"",
    "truncated": logged(turns(9))[:-200],
    "truncated after a brace": logged(turns(9))[: logged(turns(9)).rindex(b"}", 0, -3) + 1],
    "a list": logged([turns(9)]),
    "object of another kind": logged({"messages": turns(9)["request"]["messages"]}),
    "no request": logged({"response": response(assistant("a"))}),
    "request is a string": logged({**turns(9), "request": "x"}),
    "no messages": logged({"request": {"messages": []}, "response": response(assistant("a"))}),
    "messages is an object": logged({"request": {"messages": {"role": "user"}}}),
    "message is a string": logged(log(*[assistant("a")] * 9, "x")),  # type: ignore[arg-type]
    "role is null": logged(log(*[assistant("a")] * 9, {"role": None})),
    "role is missing": logged(log(*[assistant("a")] * 9, {"content": "x"})),
    "not JSON": b"hello",
    "invalid UTF-8": logged(turns(9)).replace(b"why", b"\xff"),
    "nested too deep": b'{"request": ' + b"[" * 100_000,
    "zero bytes": bytes(1_000),
}
GOOD = logged(turns(2))
A, B, C = (f"conv_20261122_12000{n}_000000.json" for n in range(3))


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_log_is_skipped_and_flagged(name: str, tmp_path: Path) -> None:
    path = write_log(tmp_path, GOOD, A)
    write_log(tmp_path, UNUSABLE[name], B)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path, chosen.data, chosen.log) == (path, GOOD, turns(2))
    assert chosen.log_skipped


@pytest.mark.parametrize("name", UNUSABLE)
def test_damage_to_a_log_that_cannot_win_is_noticed_too(name: str, tmp_path: Path) -> None:
    """All these logs have too few assistant turns to be chosen."""
    write_log(tmp_path, logged(turns(12)), A)
    write_log(tmp_path, UNUSABLE[name], B)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path.name, chosen.log_skipped) == (A, True)


@pytest.mark.parametrize("name", ["empty", "truncated", "role is missing"])
def test_no_log_is_chosen_if_the_only_one_is_unusable(name: str, tmp_path: Path) -> None:
    write_log(tmp_path, UNUSABLE[name])
    assert choose(tmp_path) is None


@pytest.mark.parametrize("folder", ["", "CAMEL_LOG_DIR", "CAMEL_LOG_DIR/agent", "other"])
def test_files_elsewhere_or_with_other_names_are_not_logs(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    write_log(tmp_path, GOOD, "agent/notes.json")
    (tmp_path / "conv_1.json").write_bytes(GOOD)
    assert choose(tmp_path) is None


ONE_LINE = logged(turns(3), indent=None)
STREAMED = {"content": "last", "finish_reason": "stop", "streaming": True}
# The logs of a trial. The first is the one to choose.
WINS: dict[str, dict[str, bytes]] = {
    "most turns": {B: logged(turns(3)), C: logged(turns(2)), A: logged(turns(1))},
    "most turns, not the largest": {A: logged(turns(3)), C: logged(turns(2, size=9_000))},
    "most turns, not the latest": {A: logged(turns(3)), C: logged(turns(2))},
    "final turn counts": {A: logged(turns(3)), C: logged(failed_call(2, size=9_000))},
    "final turn without a role counts": {
        A: logged(turns(2) | {"response": response({"content": "last"})}),
        C: logged(failed_call(2, size=9_000)),
    },
    "failed call after as many turns": {A: logged(turns(3)), C: logged(failed_call(3))},
    "failed call after more turns": {C: logged(failed_call(4)), A: logged(turns(3))},
    "streamed final turn counts": {
        A: logged(turns(3, answered=False) | {"response": STREAMED}),
        C: logged(failed_call(2, size=9_000)),
    },
    "later of equal turns, not the larger": {C: logged(turns(3)), A: logged(turns(3, size=9_000))},
    "larger of equal names": {f"a/{A}": logged(turns(3, size=9)), f"b/{A}": logged(turns(3))},
    "greater path of equal names and sizes": {f"b/{A}": logged(turns(3)), f"a/{A}": logged(turns(3))},
    "name before path": {f"a/{B}": logged(turns(3)), f"b/{A}": logged(turns(3))},
    "two agents": {
        f"z/{A}": logged(turns(3)),
        f"a/{C}": logged(turns(2, size=9_000)),
    },
    "deeper directory": {f"a/b/c/{A}": logged(turns(3)), C: logged(turns(2))},
    "directly below CAMEL_LOG_DIR": {f"../CAMEL_LOG_DIR/{A}": logged(turns(3)), C: logged(turns(2))},
    "one line": {A: ONE_LINE, C: logged(turns(2, size=9_000))},
    "no spaces": {A: ONE_LINE.replace(b": ", b":").replace(b", ", b","), C: logged(turns(2))},
    "space before a colon": {A: logged(turns(3)).replace(b'"role": ', b'"role" : '), C: logged(turns(2))},
    "escaped role": {A: ONE_LINE.replace(b"assistant", b"\\u0061ssistant"), C: logged(turns(2))},
    "escaped key": {A: logged(turns(3)).replace(b'"role"', b'"r\\u006fle"'), C: logged(turns(2))},
    "byte order mark": {A: b"\xef\xbb\xbf" + logged(turns(3)), C: logged(turns(2))},
    "NaN": {A: logged(turns(3, x=float("nan"))), C: logged(turns(2))},
    "lone surrogate": {A: logged(turns(3, x="\ud800")), C: logged(turns(2))},
    "text that looks like roles": {
        A: logged(turns(3)),
        C: logged(log(user('"role": "assistant"' * 9), answer=assistant(""))),
    },
    "objects that look like messages": {
        A: logged(turns(3)),
        C: logged(log(system("x") | {"x": [{"role": "assistant"}] * 9}, answer=assistant(""))),
    },
}


@pytest.mark.parametrize("name", WINS)
def test_log_is_chosen_by(name: str, tmp_path: Path) -> None:
    paths = [write_log(tmp_path, data, file) for file, data in WINS[name].items()]
    chosen = choose(tmp_path)
    assert chosen is not None
    assert chosen.path.resolve() == paths[0].resolve()
    assert not chosen.log_skipped


def test_directory_and_dead_link_are_skipped_and_flagged(tmp_path: Path) -> None:
    path = write_log(tmp_path, GOOD, A)
    path.with_name(B).mkdir()
    path.with_name(C).symlink_to("gone.json")
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path, chosen.log_skipped) == (path, True)


MESSAGES = st.lists(
    st.sampled_from([user("a"), system('"role": "assistant"'), assistant("b"), assistant("c", "why")]),
    max_size=4,
)
ANSWERS: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, "text", {"choices": []}, response("a"), {**STREAMED, "finish_reason": "tool_calls"}),
        *(response(assistant("a")), response({"content": "a"}), STREAMED),
    ]
)
LOGS = st.builds(lambda messages, answer: {**log(*messages), "response": answer}, MESSAGES, ANSWERS)
NOT_LOGS = st.sampled_from(
    [[], 1, {"a": 1}, {"request": 1}, log({"role": None}), log(*[assistant("a")] * 6, {"role": 1})]
)
# Mostly 4, as CAMEL writes; repeating an element makes it more frequent.
INDENTS = st.sampled_from([4, 4, 4, None, 1])
FILES = st.one_of(
    st.builds(logged, LOGS, INDENTS),
    st.builds(logged, LOGS, INDENTS),
    st.builds(logged, NOT_LOGS, INDENTS),
    st.builds(lambda document, n_lost: logged(document)[:-n_lost], LOGS, st.integers(1, 60)),
    st.builds(lambda document: logged(document).replace(b'"role"', b'"rule"', 1), LOGS),
)
NAMES = st.tuples(st.sampled_from(["a", "b", "a/c"]), st.sampled_from([A, B, C])).map("/".join)


@given(files=st.dictionaries(NAMES, FILES, max_size=5))
def test_chosen_log_agrees_with_a_plain_reading_of_the_rule(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        trial = Path(folder)
        for name, data in files.items():
            write_log(trial, data, name)
        chosen = choose(trial)
        found = chosen and (chosen.path, chosen.log, chosen.log_skipped)
        assert found == expected(trial)


def expected(trial: Path) -> tuple[Path, Any, bool] | None:
    """Return (path, log, is flagged), following the text of R4 and parsing every file."""
    files = [path for path in trial.rglob("conv_*.json") if path.is_file()]
    usable = [(path, document) for path in files if (document := read_usable(path)) is not None]
    if not usable:
        return None
    path, document = max(usable, key=lambda one: rank(*one))
    return path, document, len(usable) < len(files)


def read_usable(path: Path) -> Any:
    """Return the log in a file, None if it is not usable."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
        messages = document["request"]["messages"]
        usable = isinstance(messages, list) and messages and all(type(m["role"]) is str for m in messages)
    except (ValueError, TypeError, KeyError):
        return None
    return document if usable else None


def rank(path: Path, document: Any) -> tuple[int, bool, str, int, str]:
    """Return what R4 compares, in its order."""
    try:
        final = isinstance(document["response"]["choices"][0]["message"], dict)
    except (TypeError, KeyError, IndexError):
        final = document.get("response") == STREAMED
    count = sum(message["role"] == "assistant" for message in document["request"]["messages"]) + final
    return count, final, path.name, path.stat().st_size, str(path)


def peak_of(files: dict[str, bytes], trial: Path) -> tuple[str, int]:
    """Return (name of the chosen log, peak of the memory in bytes while it was chosen)."""
    for name, data in files.items():
        write_log(trial, data, name)
    tracemalloc.start()
    try:
        chosen = choose(trial)
        assert chosen is not None
        return chosen.path.name, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LARGE = 2_000_000
MANY: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "first log is the best": ("conv_00.json", lambda n: logged(turns(12 - n, size=LARGE), indent=None)),
    "each log is better than the last": (
        "conv_11.json",
        lambda n: logged(turns(n + 1, size=LARGE), indent=None),
    ),
    "as CAMEL writes them": ("conv_11.json", lambda n: logged(turns(n + 1, size=LARGE))),
    "all but one are truncated": (
        "conv_00.json",
        lambda n: logged(turns(2, size=LARGE))[: -9 if n else None],
    ),
}


@pytest.mark.parametrize("case", MANY)
def test_of_many_large_logs_only_one_and_the_best_are_in_memory(case: str, tmp_path: Path) -> None:
    """Twelve logs take as much as one, plus the bytes and the parsed text of the best."""
    best, write = MANY[case]
    files = {f"conv_{n:02d}.json": write(n) for n in range(12)}
    name, peak = peak_of(files, tmp_path / "many")
    _, alone = peak_of({best: files[best]}, tmp_path / "alone")
    assert name == best
    assert peak < alone + 4 * LARGE
