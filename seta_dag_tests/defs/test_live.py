"""A live `dagster dev`: it builds on its own, and people see and run every stage in the browser.

The tests stand in the order in which a person would do it; each waits for what it needs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

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
WIPE = """mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["ctrf_reports"]}}])
    { __typename ... on AssetWipeSuccess { assetPartitionRanges { assetKey { path } } } } }"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server that finds three tasks when it starts; one of them gives no row."""
    place = Place(tmp_path_factory.mktemp("live"))
    take(place.rollouts / "exp/kimi", "a_t0", "multi_traj_task", "ctrf_zero_tests")
    with serving(place) as server:
        yield server


@pytest.fixture(scope="module")
def page(server: DevServer) -> Iterator[Page]:
    """A page of a headless browser."""
    from playwright.sync_api import sync_playwright

    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
    ):
        page = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=server.address)
        page.set_default_timeout(60_000)
        yield page


def rows(place: Place) -> dict[str, list[str]]:
    """The trials in the shards of each dataset."""
    data = {variant: place.out.dataset(variant) / "data" for variant in VARIANTS}
    return {variant: pq.read_table(data[variant])["trial_uid"].to_pylist() for variant in VARIANTS}


def sensor_runs(server: DevServer, status: str = "SUCCESS") -> int:
    """The runs of that status that the sensor asked for."""
    found = [run for run in server.runs() if run["tags"].get("dagster/sensor_name") == "new_rollouts"]
    return [run["status"] for run in found].count(status)


def test_the_sensor_builds_what_it_finds_in_one_run(server: DevServer) -> None:
    server.wait(lambda: sensor_runs(server) == 1)
    assert len(server.runs()) == 1
    assert {variant: len(uids) for variant, uids in rows(server.place).items()} == {
        "thinking": 5,
        "nothink": 5,
    }
    assert {line["task_id"]: line["reason"] for line in server.place.ledger()} == {
        "a": None,
        "multi_traj_task": None,
        "ctrf_zero_tests": "no_tests",
    }


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
def test_the_ledgers_page_shows_its_figures_and_tables(server: DevServer, page: Page) -> None:
    server.wait(lambda: sensor_runs(server) >= 1)
    page.goto("/assets/ledger?view=overview")
    page.get_by_text("What became of every trial").wait_for()
    page.get_by_text(str(server.place.out.ledger)).wait_for()
    for cell in ("dropped by reason", "ctrf_zero_tests_t0_ad7f95", "no_tests"):
        page.get_by_text(cell).first.wait_for()


@needs_chromium
def test_a_partition_is_materialized_from_the_page_and_turns_green(server: DevServer, page: Page) -> None:
    server.wait(lambda: sensor_runs(server) >= 1)
    assert server.ask(WIPE)["wipeAssets"]["__typename"] == "AssetWipeSuccess"
    page.goto("/assets/ctrf_reports?view=partitions&partition=multi_traj_task")
    page.get_by_text("Missing (3)").wait_for()
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="Launch 1 run").click()
    page.get_by_text("Materialized (1)").wait_for()
    page.get_by_text("Missing (2)").wait_for()
    assert server.runs()[0]["status"] in ("STARTED", "SUCCESS")


def test_a_new_trial_is_picked_up_and_both_datasets_grow_by_its_row(server: DevServer) -> None:
    server.wait(lambda: sensor_runs(server) >= 1)
    before, runs = rows(server.place), sensor_runs(server)
    take(server.place.rollouts / "exp/kimi", "stack_overflow__101")
    server.wait(lambda: sensor_runs(server) == runs + 1)
    uid = "stack_overflow__101_t0_c8185a"
    assert rows(server.place) == {variant: sorted([*before[variant], uid]) for variant in VARIANTS}
    requested = [tick["runIds"] for tick in server.ticks() if tick["runIds"]]
    assert len(requested) == runs + 1 and all(len(ids) == 1 for ids in requested)


def test_what_it_built_is_what_the_library_builds(
    server: DevServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server.wait(lambda: sensor_runs(server) >= 1 and not sensor_runs(server, "STARTED"))
    again = built_plainly(server.place, tmp_path_factory.mktemp("again"))
    assert server.place.visible() == again.visible()
