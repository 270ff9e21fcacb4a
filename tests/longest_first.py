"""A pytest plugin (``-p tests.longest_first``): in which order files are given to xdist's workers.

The longest come first, so that none runs alone at the end. Tests that start a whole platform run in two rows, so that at most
two platforms live at once on a machine of two cores.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

_ROWS = {
    "tests/integration/system/test_faults.py": "platforms 1",
    "tests/integration/services/test_sensor_to_climb.py": "platforms 1",
    "tests/integration/services/test_up.py": "platforms 2",
    "tests/integration/services/test_first_start.py": "platforms 2",
    "tests/integration/services/test_backup.py": "platforms 2",
    "tests/integration/services/test_broken_off.py": "platforms 2",
}
"""The files whose tests start a platform, by the row that they run in, each row in this order."""

_DEMO, _PAGES = "tests/browser/services/test_exercise.py", "tests/browser/"
_BESIDE_THE_DEMO = ("cockpit/test_sizes.py", "cockpit/test_wcag.py")
"""In a browser one worker plays the demo's exercise, the other does everything else, one file after the other on one server;
first what only looks at pages, while the demo takes more than its core.
"""

_SECONDS = {
    "integration/services/test_demo": 33,
    "unit/ledger/test_checker_mutations": 28,
    "integration/ledger/test_every_edge_through_doors": 28,
    "integration/ledger/test_public": 26,
    "unit/ledger/test_lives": 18,
    "integration/ledger/test_confidential": 15,
    "integration/watch/test_devices": 14,
    "integration/watch/test_workers": 14,
    "integration/watch/test_counted_on_the_page": 14,
    "integration/ledger/test_api_contract": 14,
    "integration/region/test_seed": 13,
    "integration/watch/test_kills": 13,
    "integration/services/test_full_disk": 13,
    "integration/ledger/test_verify_files": 12,
    "integration/services/test_refusals": 12,
    "integration/ledger/test_sealing": 11,
    "integration/ledger/test_clockwork": 10,
    "unit/ledger/test_proof": 9,
    "integration/watch/test_capacity": 9,
    "integration/ledger/test_no_desk": 8,
    "integration/cockpit/test_query_budgets": 8,
    "integration/ledger/test_rebuild": 7,
    "unit/ledger/test_edges_replayed": 7,
    "integration/services/test_supervisor": 7,
}
"""About how long a file takes, where its number of tests does not tell; a wrong one costs time and nothing else.

Files that mostly wait have less than they take: they lie between those that compute, not two of them side by side at the start.
"""
_USUAL = 0.1  # seconds of a test


class _Rows(LoadFileScheduling):
    """As ``--dist loadfile``, with the rows of platforms."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        if file.startswith(_PAGES):
            return file if file == _DEMO else _PAGES
        return _ROWS.get(file, file)


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Ours where ``--dist loadfile`` is asked for."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # the order of collection, made below, instead of the number of tests
    return _Rows(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the files in order; the tests of a file keep theirs. Without workers the order does not matter.

    Raises ``UsageError`` for a file of platforms without a row: it would start a third platform beside two.
    """
    if not hasattr(config, "workerinput"):
        return
    strays = {item.nodeid.split("::", 1)[0] for item in items if item.get_closest_marker("platform")} - set(_ROWS)
    if strays:
        raise pytest.UsageError(f"{', '.join(sorted(strays))} starts a platform: give it a row in {__name__}")
    files = Counter(item.nodeid.split("::", 1)[0] for item in items)
    rows = list(_ROWS)

    def place(item: pytest.Item) -> tuple[float, str]:
        file = item.nodeid.split("::", 1)[0]
        if file in _ROWS:
            return rows.index(file) - 10_000, file
        if file.startswith(_PAGES):
            return -30_000.0 if file == _DEMO else -20_000.0 if file.endswith(_BESIDE_THE_DEMO) else -15_000.0, file
        name = file.removeprefix("tests/").removesuffix(".py")
        return -_SECONDS.get(name, files[file] * _USUAL), file

    items.sort(key=place)
