"""Reads what the proof needs from the product's data: mechanisms, names, the law's kinds and obligations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fengsui import shipped
from fengsui.law import numbers
from fengsui.ledger.kernel.load import load_files, load_folder, load_names
from fengsui.ledger.kernel.names import Names, law_names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.proof.obligations import Law, load_obligations


def shipped_names() -> Names:
    """``registry.yaml`` with the law files' own say on kind, holder and signatures."""
    names = load_names(shipped.file("registry.yaml"))
    return names.plus(law=law_names(numbers.shipped_book().all()))


def shipped_law() -> Law:
    """The obligations that come with the product."""
    return load_obligations(shipped.file("registry.yaml").with_name("obligations.yaml"))


def load_all(names: Names, folder: Path | None = None, *, over: bool = False) -> Mapping[str, Mechanism]:
    """The mechanisms of a folder, or the shipped ones; ``over``: both, the folder's files replacing shipped ones.

    Raises ``MechanismError``.
    """
    if folder is None or not over:
        return load_folder(folder or shipped.folder("mechanisms"), names)
    files = {path.name: path for place in (shipped.folder("mechanisms"), folder) for path in sorted(place.glob("*.yaml"))}
    return load_files(files.values(), names)
