"""The made-up devices: their past is what they would have sent."""

from __future__ import annotations

import numpy as np

from fengsui.watch.simulator import Signal


def test_the_past_is_what_would_have_been_sent() -> None:
    signal = Signal("PT-1021", 1.25, 0.05, 20261124)
    at = np.arange(1_790_000_000, 1_790_014_400, 60, dtype=np.int64)
    np.testing.assert_allclose(signal.past(at), [signal.value(float(one)) for one in at], rtol=0, atol=1e-12)
