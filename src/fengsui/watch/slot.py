"""One process for one name: the lock that tells a restarted worker that its former self is dead."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Self


class AlreadyRunning(RuntimeError):
    """Another process works under this name on this data folder."""


class Slot:
    """Held while the ``with`` lasts; the system lets it go with the process, however that ends."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise AlreadyRunning(f"an engine already works under {self._path}: stop it, or set FENGSUI_ENGINE") from error
        return self

    def __exit__(self, *_: object) -> None:
        assert self._file is not None
        self._file.close()
