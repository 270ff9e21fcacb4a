"""The alarm engine: samples in, transitions out.

In: columns of samples (point id, event time, value, quality), the time the stream stored them, and
points and rules as columns. Out: transitions (an alarm raised, cleared, withdrawn …) and a verdict
for every sample. It never reads a clock, a network or a database, so that a replay of the same
stream gives the same transitions.
"""

from typing import TYPE_CHECKING, Any

from fengsui.watch.engine.shapes import (
    BATCH,
    GRACE_NS,
    OUTAGE_NS,
    SECOND,
    Batch,
    Kind,
    Level,
    Points,
    Quality,
    Rules,
    Transitions,
    Verdict,
)

if TYPE_CHECKING:
    from fengsui.watch.engine.face import Engine, SnapshotError

__all__ = [
    "BATCH",
    "GRACE_NS",
    "OUTAGE_NS",
    "SECOND",
    "Batch",
    "Engine",
    "Kind",
    "Level",
    "Points",
    "Quality",
    "Rules",
    "SnapshotError",
    "Transitions",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    """Load the compiled engine only where it runs: it takes two seconds, and the pages need the shapes alone."""
    if name in ("Engine", "SnapshotError"):
        from fengsui.watch.engine import face

        return getattr(face, name)
    raise AttributeError(name)
