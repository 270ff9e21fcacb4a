"""Where the data that comes with the product lies: ``data/`` of the checkout, or of the installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "data", _PACKAGE.parent.parent / "data")


def folder(name: str) -> Path:
    """The folder ``data/NAME`` (``law``, ``geo``, ``mechanisms`` …).

    Raises ``FileNotFoundError`` naming the places looked at where the product was installed without it.
    """
    return _find(name, Path.is_dir)


def file(name: str) -> Path:
    """The file ``data/NAME`` (``roles.yaml``, ``geo/places.csv`` …); raises as ``folder`` does."""
    return _find(name, Path.is_file)


def _find(name: str, fits: object) -> Path:
    for place in _PLACES:
        if fits(place / name):  # type: ignore[operator]
            return place / name
    raise FileNotFoundError(f"data/{name} did not come with this installation; looked in {', '.join(map(str, _PLACES))}")
