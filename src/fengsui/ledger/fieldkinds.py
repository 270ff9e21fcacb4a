"""What kind a field has, or ever had: a case moves from one version of its mechanism to another, its entries stay as they are.

Out: for every mechanism's name its fields with their kinds in all stored versions. Erasing and verifying ask here: what an
entry says is known by the version that it was written under, whichever the case stands on now.
"""

from __future__ import annotations

from fengsui.ledger.models import MechanismVersion

Kinds = dict[str, dict[str, set[str]]]


def kinds_ever() -> Kinds:
    """Mechanism → field → its kinds in all stored versions."""
    found: Kinds = {}
    for name, fields in MechanismVersion.objects.values_list("name", "source__fields"):
        own = found.setdefault(name, {})
        for field, declared in (fields or {}).items():
            own.setdefault(field, set()).add(declared.get("kind", ""))
    return found
