"""R4: which log holds the conversation, whatever else lies beside it."""

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
    """A log of `n` assistant turns, the last one as the answer; without it, of n - 1 and a failed call."""
    said = [message for k in range(n - 1) for message in (user(f"{k}"), assistant(f"{k}", "why"))]
    made = log(*said, user("x" * size), answer=assistant("last") if answered else None)
    return {**made, **more}


def failed_call(n: int, **more: Any) -> Log:
    """The log of a call after `n` assistant turns that got no response."""
    return turns(n + 1, answered=False, **more)


FOREIGN: dict[str, bytes] = {
    "empty": b"",
    "cut": logged(turns(9))[:-200],
    "cut after a brace": logged(turns(9))[: logged(turns(9)).rindex(b"}", 0, -3) + 1],
    "a list": logged([turns(9)]),
    "another object": logged({"messages": turns(9)["request"]["messages"]}),
    "no request": logged({"response": response(assistant("a"))}),
    "a request of no sense": logged({**turns(9), "request": "x"}),
    "no messages": logged({"request": {"messages": []}, "response": response(assistant("a"))}),
    "messages of no sense": logged({"request": {"messages": {"role": "user"}}}),
    "a message of no sense": logged(log(*[assistant("a")] * 9, "x")),  # type: ignore[arg-type]
    "a role that is null": logged(log(*[assistant("a")] * 9, {"role": None})),
    "a role that is missing": logged(log(*[assistant("a")] * 9, {"content": "x"})),
    "no JSON": b"hello",
    "wrong UTF-8": logged(turns(9)).replace(b"why", b"\xff"),
    "100,000 brackets deep": b'{"request": ' + b"[" * 100_000,
    "zero bytes": bytes(1_000),
}
GOOD = logged(turns(2))
A, B, C = (f"conv_20261122_12000{n}_000000.json" for n in range(3))


@pytest.mark.parametrize("name", FOREIGN)
def test_a_cut_or_foreign_file_is_passed_over_and_told(name: str, tmp_path: Path) -> None:
    path = write_log(tmp_path, GOOD, A)
    write_log(tmp_path, FOREIGN[name], B)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path, chosen.data, chosen.log) == (path, GOOD, turns(2))
    assert chosen.log_skipped


UNREAD = {"a message of no sense", "a role that is missing", "wrong UTF-8"}
"""What is as CAMEL writes logs, so that it is not parsed where it is too short to win."""


@pytest.mark.parametrize("name", sorted(FOREIGN.keys() - UNREAD))
def test_a_cut_or_foreign_file_is_told_though_it_could_not_win(name: str, tmp_path: Path) -> None:
    write_log(tmp_path, logged(turns(12)), A)
    write_log(tmp_path, FOREIGN[name], B)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path.name, chosen.log_skipped) == (A, True)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_cut_or_foreign_file_alone_is_no_log(name: str, tmp_path: Path) -> None:
    write_log(tmp_path, FOREIGN[name])
    assert choose(tmp_path) is None


@pytest.mark.parametrize("folder", ["", "CAMEL_LOG_DIR", "CAMEL_LOG_DIR/agent", "other"])
def test_no_file_is_no_log(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    write_log(tmp_path, GOOD, "agent/notes.json")
    (tmp_path / "conv_1.json").write_bytes(GOOD)
    assert choose(tmp_path) is None


SPACED = logged(turns(3), indent=None)
WINS: dict[str, dict[str, bytes]] = {
    "the most turns": {B: logged(turns(3)), C: logged(turns(2)), A: logged(turns(1))},
    "the most turns, not the largest": {A: logged(turns(3)), C: logged(turns(2, size=9_000))},
    "the most turns, not the latest": {A: logged(turns(3)), C: logged(turns(2))},
    "the final turn is counted": {A: logged(turns(3)), C: logged(failed_call(2, size=9_000))},
    "a final turn without a role too": {
        A: logged(turns(2) | {"response": response({"content": "last"})}),
        C: logged(failed_call(2, size=9_000)),
    },
    "a failed last call after as many turns": {A: logged(turns(3)), C: logged(failed_call(3))},
    "a failed last call after more": {C: logged(failed_call(4)), A: logged(turns(3))},
    "among equals the larger": {A: logged(turns(3, size=9)), C: logged(turns(3))},
    "among equals of one size the greater name": {C: logged(turns(3)), A: logged(turns(3))},
    "among equal names the greater path": {f"b/{A}": logged(turns(3)), f"a/{A}": logged(turns(3))},
    "name before path": {f"a/{B}": logged(turns(3)), f"b/{A}": logged(turns(3))},
    "of two agents the one with more turns": {
        f"z/{A}": logged(turns(3)),
        f"a/{C}": logged(turns(2, size=9_000)),
    },
    "in a deeper folder": {f"a/b/c/{A}": logged(turns(3)), C: logged(turns(2))},
    "directly below the folder": {f"../CAMEL_LOG_DIR/{A}": logged(turns(3)), C: logged(turns(2))},
    "spaced otherwise": {A: SPACED, C: logged(turns(2, size=9_000))},
    "not spaced at all": {A: SPACED.replace(b": ", b":").replace(b", ", b","), C: logged(turns(2))},
    "one space too many": {A: logged(turns(3)).replace(b'"role": ', b'"role" : '), C: logged(turns(2))},
    "letters as escapes": {A: SPACED.replace(b"assistant", b"\\u0061ssistant"), C: logged(turns(2))},
    "keys as escapes": {A: logged(turns(3)).replace(b'"role"', b'"r\\u006fle"'), C: logged(turns(2))},
    "with a byte order mark": {A: b"\xef\xbb\xbf" + logged(turns(3)), C: logged(turns(2))},
    "with NaN": {A: logged(turns(3, x=float("nan"))), C: logged(turns(2))},
    "with a lone surrogate": {A: logged(turns(3, x="\ud800")), C: logged(turns(2))},
    "not fooled by text": {
        A: logged(turns(3)),
        C: logged(log(user('"role": "assistant"' * 9), answer=assistant(""))),
    },
    "not fooled by an object": {
        A: logged(turns(3)),
        C: logged(log(system("x") | {"x": [{"role": "assistant"}] * 9}, answer=assistant(""))),
    },
}


@pytest.mark.parametrize("name", WINS)
def test_the_first_named_log_wins(name: str, tmp_path: Path) -> None:
    paths = [write_log(tmp_path, data, file) for file, data in WINS[name].items()]
    chosen = choose(tmp_path)
    assert chosen is not None
    assert chosen.path.resolve() == paths[0].resolve()
    assert not chosen.log_skipped


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
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
    [None, "text", {"choices": []}, response(assistant("a")), response({"content": "a"}), response("a")]
)
LOGS = st.builds(lambda said, answer: {**log(*said), "response": answer}, MESSAGES, ANSWERS)
STRAYS = st.sampled_from(
    [[], 1, {"a": 1}, {"request": 1}, log({"role": None}), log(*[assistant("a")] * 6, {"role": 1})]
)
INDENTS = st.sampled_from([4, 4, 4, None, 1])
FILES = st.one_of(
    st.builds(logged, LOGS, INDENTS),
    st.builds(logged, LOGS, INDENTS),
    st.builds(logged, STRAYS, INDENTS),
    st.builds(lambda made, cut: logged(made)[:-cut], LOGS, st.integers(1, 60)),
)
NAMES = st.tuples(st.sampled_from(["a", "b", "a/c"]), st.sampled_from([A, B, C])).map("/".join)


@given(files=st.dictionaries(NAMES, FILES, max_size=5))
def test_the_chosen_log_is_the_one_that_reading_all_gives(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        trial = Path(folder)
        for name, data in files.items():
            write_log(trial, data, name)
        chosen = choose(trial)
        found = chosen and (chosen.path, chosen.log, chosen.log_skipped)
        assert found == plain(trial)


def plain(trial: Path) -> tuple[Path, Any, bool] | None:
    """R4 word for word, every file parsed."""
    files = [path for path in trial.rglob("conv_*.json") if path.is_file()]
    usable = [(path, made) for path in files if (made := plain_log(path)) is not None]
    if not usable:
        return None
    path, made = max(usable, key=lambda one: plain_rank(*one))
    return path, made, len(usable) < len(files)


def plain_log(path: Path) -> Any:
    """The log in the file, None where it is no usable one."""
    try:
        made = json.loads(path.read_bytes().decode("utf-8-sig"))
        messages = made["request"]["messages"]
        usable = isinstance(messages, list) and messages and all(type(m["role"]) is str for m in messages)
    except (ValueError, TypeError, KeyError):
        return None
    return made if usable else None


def plain_rank(path: Path, made: Any) -> tuple[int, bool, int, str, str]:
    """What R4 compares, in its order."""
    try:
        final = isinstance(made["response"]["choices"][0]["message"], dict)
    except (TypeError, KeyError, IndexError):
        final = False
    count = sum(message["role"] == "assistant" for message in made["request"]["messages"]) + final
    return count, final, path.stat().st_size, path.name, str(path)


def peak_of(files: dict[str, bytes], trial: Path) -> tuple[str, int]:
    """The name of the chosen log, and the bytes that were in memory at most while it was looked for."""
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
    "the first is the best": ("conv_00.json", lambda n: logged(turns(12 - n, size=LARGE), indent=None)),
    "each is better": ("conv_11.json", lambda n: logged(turns(n + 1, size=LARGE), indent=None)),
    "as CAMEL writes them": ("conv_11.json", lambda n: logged(turns(n + 1, size=LARGE))),
    "all but one are cut": ("conv_00.json", lambda n: logged(turns(2, size=LARGE))[: -9 if n else None]),
}


@pytest.mark.parametrize("case", MANY)
def test_of_many_large_logs_one_is_in_memory_beside_the_best(case: str, tmp_path: Path) -> None:
    """Twelve logs take no more than one does by itself and what is held of the best: its bytes and texts."""
    best, made = MANY[case]
    files = {f"conv_{n:02d}.json": made(n) for n in range(12)}
    name, peak = peak_of(files, tmp_path / "many")
    _, alone = peak_of({best: files[best]}, tmp_path / "alone")
    assert name == best
    assert peak < alone + 4 * LARGE
