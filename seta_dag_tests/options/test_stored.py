"""What an output directory keeps of its options, and what contradicts it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seta_dag.dataset.filters.filters import Filters
from seta_dag.errors import ConfigError
from seta_dag.options.build_options import BuildOptions
from seta_dag.options.stored import contradiction, read_options, require_same_build, store_options
from seta_dag.rollouts.reasons import Flag
from seta_dag.store.layout import OutputLayout

filters = st.builds(
    Filters,
    min_reward=st.none() | st.floats(0, 1),
    max_tokens=st.none() | st.integers(1, 10**9),
    drop_flag=st.sets(st.sampled_from(list(Flag))).map(tuple),
)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
options = st.builds(
    BuildOptions, st.just(Path("/r/x")), words, words, filters, st.none() | st.just(Path("/c.toml"))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=options)
def test_options_are_read_as_they_were_stored(options: BuildOptions, tmp_path: Path) -> None:
    store_options(OutputLayout(tmp_path), options)
    assert read_options(OutputLayout(tmp_path)) == options


def test_only_the_named_options_change(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    first = BuildOptions(tmp_path / "a", "one", "s", Filters(max_tokens=5), tmp_path / "c")
    store_options(out, first)
    store_options(out, BuildOptions(tmp_path / "b", "two", "t", Filters()), ["filters"])
    assert read_options(out) == BuildOptions(tmp_path / "a", "one", "s", Filters(), tmp_path / "c")


def test_options_that_did_not_change_are_not_written_again(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    store_options(out, BuildOptions(tmp_path))
    before = out.options.stat().st_ino
    store_options(out, BuildOptions(tmp_path))
    assert out.options.stat().st_ino == before
    store_options(out, BuildOptions(tmp_path, runs="x"))
    assert out.options.stat().st_ino != before


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "{}",
        '{"rollouts": 1, "runs": "*", "student": "s", "card": null, "filters": {}}',
        '{"rollouts": "r", "runs": "*", "student": "s", "card": 1, "filters": {}}',
        '{"rollouts": "r", "runs": "*", "student": "s", "card": null, "filters": {"min_reward": 7}}',
        '{"rollouts": "r", "runs": "*", "student": "s", "card": null, "filters": null}',
    ],
)  # fmt: skip
def test_damaged_options_count_as_missing(text: str, tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    out.options.write_text(text)
    assert read_options(out) is None
    assert contradiction(out, BuildOptions()) is None


def test_contradiction_names_both_roots(tmp_path: Path) -> None:
    out, one, other = OutputLayout(tmp_path / "out"), tmp_path / "one", tmp_path / "other"
    store_options(out, BuildOptions(one))
    require_same_build(out, BuildOptions(one / "." / ".." / "one"))
    with pytest.raises(ConfigError) as raised:
        require_same_build(out, BuildOptions(other))
    assert str(one) in str(raised.value) and str(other) in str(raised.value)
    with pytest.raises(ConfigError, match=r"the runs '\*', but the runs given are 'kimi'"):
        require_same_build(out, BuildOptions(one, "kimi"))


def test_link_to_the_same_rollouts_is_no_contradiction(tmp_path: Path) -> None:
    out, real, link = OutputLayout(tmp_path / "out"), tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    store_options(out, BuildOptions(real))
    assert contradiction(out, BuildOptions(link)) is None


def test_copied_project_builds_its_own_rollouts(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    store_options(
        OutputLayout(original / "out"), BuildOptions(original / "rollouts", card=tmp_path / "card.toml")
    )
    shutil.copytree(original, copy)
    found = read_options(OutputLayout(copy / "out"))
    assert found == BuildOptions(copy / "rollouts", card=tmp_path / "card.toml")


def test_relative_output_directory_gives_relative_rollouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store_options(OutputLayout(Path("data/out")), BuildOptions())
    found = read_options(OutputLayout(Path("data/out")))
    assert found is not None and found.rollouts == Path("data/rollouts")


def test_filter_that_is_not_registered_is_named(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    store_options(out, BuildOptions())
    out.options.write_bytes(
        out.options.read_bytes().replace(b'"filters": {}', b'"filters": {"max_turns": 4}')
    )
    with pytest.raises(ConfigError, match=r"options\.json: the last build used the filter max_turns"):
        read_options(out)


def test_another_student_is_a_contradiction(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path / "out")
    store_options(out, BuildOptions(tmp_path / "one"))
    with pytest.raises(ConfigError, match="was built for Qwen/Qwen3-8B, but the student given is org/other"):
        require_same_build(out, BuildOptions(tmp_path / "one", student="org/other"))
