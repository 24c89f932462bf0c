"""A live `dagster dev`: it builds on its own, and the browser shows and runs every stage.

All tests share one server. Its builds are fixtures, so a test that needs a build waits for it only if no
earlier test has. The sensor ticks every 15 seconds: the pages are tested while it has yet to notice a new
trial.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from seta_dag.defs.build.plan import DATASET_ASSETS, HUB_ASSETS, TASK_ASSETS
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import Place, built_plainly, take
from seta_dag_tests.support.dev_server import DevServer, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine: apt install chromium"
)
NEW_TRIAL, NEW_UID = "stack_overflow__101", "stack_overflow__101_t0_c8185a"
WIPE = """mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["ctrf_reports"]}}])
    { __typename ... on AssetWipeSuccess { assetPartitionRanges { assetKey { path } } } } }"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server that finds three tasks when it starts, one of them without a row."""
    place = Place(tmp_path_factory.mktemp("live"))
    take(place.rollouts / "exp/kimi", "a_t0", "multi_traj_task", "ctrf_zero_tests")
    with serving(place) as server:
        yield server


@pytest.fixture(scope="module")
def page(server: DevServer) -> Iterator[Page]:
    """A page of a headless browser, at the address of the server."""
    from playwright.sync_api import sync_playwright

    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
    ):
        page = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=server.address)
        page.set_default_timeout(60_000)
        yield page


def rows(place: Place) -> dict[str, list[str]]:
    """Return the trial uids in the shards of each variant, in order."""
    data = {variant: place.out.dataset(variant) / "data" for variant in VARIANTS}
    return {variant: pq.read_table(data[variant])["trial_uid"].to_pylist() for variant in VARIANTS}


def sensor_runs(server: DevServer, status: str = "SUCCESS") -> int:
    """Count the runs with that status that the sensor requested."""
    requested = [run for run in server.runs() if run["tags"].get("dagster/sensor_name") == "new_rollouts"]
    return [run["status"] for run in requested].count(status)


@dataclass(frozen=True)
class Build:
    """The state after a run of the sensor.

    Attributes:
        n_runs: number of runs so far, including any that the sensor did not request.
        rows: trial uids in the shards of each variant, in order.
        reasons: drop reason of each task in the ledger, None for a row.
    """

    n_runs: int
    rows: dict[str, list[str]]
    reasons: dict[str, str | None]


def build_number(server: DevServer, n: int) -> Build:
    """Wait until `n` runs of the sensor have succeeded, and return the state then."""
    server.wait(lambda: sensor_runs(server) == n)
    reasons: dict[str, Any] = {line.task_id: line.reason for line in server.place.ledger()}
    return Build(len(server.runs()), rows(server.place), reasons)


@pytest.fixture(scope="module")
def first_build(server: DevServer) -> Build:
    """The build of the three tasks; a new trial is added afterwards, for the sensor to notice."""
    build = build_number(server, 1)
    take(server.place.rollouts / "exp/kimi", NEW_TRIAL)
    return build


@pytest.fixture(scope="module")
def second_build(server: DevServer, first_build: Build) -> Build:
    """The build that includes the new trial."""
    return build_number(server, 2)


def test_the_sensor_builds_all_new_tasks_in_one_run(first_build: Build) -> None:
    assert first_build.n_runs == 1
    assert {variant: len(uids) for variant, uids in first_build.rows.items()} == {"thinking": 5, "nothink": 5}
    assert first_build.reasons == {"a": None, "multi_traj_task": None, "ctrf_zero_tests": "no_tests"}


@needs_chromium
def test_the_graph_shows_every_stage(server: DevServer, page: Page) -> None:
    page.goto("/asset-groups")
    for group in ("rollouts", "tokens", "dataset", "hub"):
        page.get_by_text(group, exact=True).last.wait_for()
    page.get_by_text("3 assets").first.wait_for()
    page.keyboard.press("Alt+e")  # opens all groups
    for asset in (*TASK_ASSETS, *DATASET_ASSETS, *HUB_ASSETS):
        page.get_by_text(asset, exact=True).first.wait_for()


@needs_chromium
def test_the_page_of_the_ledger_shows_its_figures_and_tables(
    server: DevServer, page: Page, first_build: Build
) -> None:
    page.goto("/assets/ledger?view=overview")
    page.get_by_text("What became of every trial").wait_for()
    page.get_by_text(str(server.place.out.ledger)).wait_for()
    for cell in ("dropped by reason", "ctrf_zero_tests_t0_ad7f95", "no_tests"):
        page.get_by_text(cell).first.wait_for()


def test_a_new_trial_adds_its_row_to_both_datasets(
    server: DevServer, first_build: Build, second_build: Build
) -> None:
    assert second_build.rows == {v: sorted([*uids, NEW_UID]) for v, uids in first_build.rows.items()}
    requested = [tick["runIds"] for tick in server.ticks() if tick["runIds"]]
    assert len(requested) == 2 and all(len(ids) == 1 for ids in requested)


@needs_chromium
def test_a_partition_is_materialized_from_its_page(
    server: DevServer, page: Page, second_build: Build
) -> None:
    assert server.ask(WIPE)["wipeAssets"]["__typename"] == "AssetWipeSuccess"
    page.goto("/assets/ctrf_reports?view=partitions&partition=multi_traj_task")
    page.get_by_text("Missing (4)").wait_for()
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="Launch 1 run").click()
    page.get_by_text("Materialized (1)").wait_for()
    page.get_by_text("Missing (3)").wait_for()
    server.wait(lambda: server.runs()[0]["status"] == "SUCCESS")
    assert len(server.runs()) == second_build.n_runs + 1


def test_the_datasets_equal_those_built_without_dagster(
    server: DevServer, second_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = built_plainly(server.place, tmp_path_factory.mktemp("expected"))
    assert server.place.visible() == expected.visible()
