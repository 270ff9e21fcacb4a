"""Small files that are either whole or not there, whenever the process is killed or the power goes.

In: a path and a text. Out: the file with all of it, on disk, under its name. It reads nothing else.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

FRESH = ".new"
"""How a file is called that has not got its name yet: ``NAME.RANDOM.new``."""


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace ``path`` in one step by a file with ``text``. Raises `OSError`; the former file then stays."""
    fresh = _beside(path, text, mode)
    try:
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def kept(path: Path, make: Callable[[], str]) -> str:
    """What ``path`` says, which is ``make()`` on its first use; mode 0600.

    Of several that come at once the first whole file counts for all. An empty file, left by a process that was killed
    as it began to write, counts as none: an empty password would open the door. Raises `OSError`.
    """
    if path.exists() and (text := path.read_text().strip()):
        return text
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _beside(path, make(), 0o600)
    try:
        if path.exists() and not path.stat().st_size:
            fresh.replace(path)
        else:
            os.link(fresh, path)
    except FileExistsError:
        pass  # another was first
    except OSError:  # a file system without hard links: the last to come wins, which only matters at the very first start
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)
    return path.read_text().strip()


def _beside(path: Path, text: str, mode: int) -> Path:
    """A new file beside ``path`` with all of ``text`` on disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}{FRESH}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


def sync_folder(path: Path) -> None:
    """Have the names in ``path`` on disk as well, so that renames in it survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
