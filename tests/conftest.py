"""Fixtures for every test; how Hypothesis runs: the same examples each time, on slow machines too.
And what one test leaves in the process (the last reader's language, what is known for five seconds) is not the next one's.

``HYPOTHESIS_PROFILE=wide`` looks further, with other examples each time.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation
from hypothesis import HealthCheck, settings

_STEADY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("steady", derandomize=True, **_STEADY)
settings.register_profile("wide", max_examples=1000, **_STEADY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def _nobody_was_here() -> None:
    translation.deactivate()
    cache.clear()
