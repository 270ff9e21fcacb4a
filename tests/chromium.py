"""Finds the Chromium of the browser tests, or installs Debian's where that is possible.

``python -m tests.chromium`` prints its path, or says how to get one and ends with 3.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",  # a map without a graphics card
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What a headless Chromium needs in a container without network."""


def find() -> str | None:
    """The Chromium of ``$CHROMIUM``, else the first of `NAMES` on the path, else None."""
    if (named := os.environ.get("CHROMIUM")) and Path(named).exists():
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def install() -> bool:
    """Install Debian's chromium and Chinese fonts; False where we are not root or there is no apt."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-noto-cjk"]):
        if subprocess.run(["apt-get", *words], env=quiet, stdout=subprocess.DEVNULL).returncode != 0:
            return False
    return True


def main() -> int:
    """Find or install; print the path."""
    path = find() or (find() if install() else None)
    if path:
        print(path)
        return 0
    print("The browser tests need a Chromium: install it (Debian: apt-get install chromium fonts-noto-cjk),", file=sys.stderr)
    print("or name one with CHROMIUM=/path/to/chromium. All other tests have run: make unit.", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
