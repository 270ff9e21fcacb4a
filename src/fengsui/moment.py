"""The one place that reads the wall clock.

Everything else takes ``now`` as an argument, so that deadlines are tested with a simulated
time and an exercise can be replayed. Ruff's TID251 bans the other ways.
"""

from datetime import UTC, datetime

from fengsui.law.amounts import LEGAL_ZONE

__all__ = ["LEGAL_ZONE", "now"]


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
