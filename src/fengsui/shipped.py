"""The data that comes with the product: ``src/fengsui/data``, part of the package.

A region's own files lie over them from its data folder; each room that reads a folder says how.
"""

from pathlib import Path

_DATA = Path(__file__).resolve().parent / "data"


def folder(name: str) -> Path:
    """The folder ``data/NAME`` (``law``, ``geo``, ``mechanisms`` …); ``FileNotFoundError`` where it did not come."""
    return _there(_DATA / name)


def file(name: str) -> Path:
    """The file ``data/NAME`` (``roles.yaml``, ``geo/places.csv`` …); ``FileNotFoundError`` where it did not come."""
    return _there(_DATA / name)


def _there(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(f"data/{path.relative_to(_DATA)} did not come with this installation ({_DATA})")
    return path
