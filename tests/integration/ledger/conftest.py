"""The small region, for tests of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.small_region import Small, build

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def small(db: None) -> Small:
    return build(NOW)
