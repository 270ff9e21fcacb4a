"""Fixtures for every test; how Hypothesis runs: the same examples each time, on slow machines too.

``HYPOTHESIS_PROFILE=wide`` looks further, with other examples each time.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

_STEADY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("steady", derandomize=True, **_STEADY)
settings.register_profile("wide", max_examples=1000, **_STEADY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
