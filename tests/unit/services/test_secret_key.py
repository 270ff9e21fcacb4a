"""The session key of a new data folder: one for all processes, whoever comes first."""

import stat
import sys
import threading
from pathlib import Path

import pytest

from fengsui import settings


def test_processes_that_start_together_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FENGSUI_SECRET_KEY", raising=False)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for turn in range(30):
            folder = tmp_path / str(turn)
            folder.mkdir()
            monkeypatch.setattr(settings, "DATA_DIR", folder)
            keys: list[str] = []
            start = threading.Barrier(6)

            def ask(start: threading.Barrier = start, keys: list[str] = keys) -> None:
                start.wait()
                keys.append(settings._secret_key())

            threads = [threading.Thread(target=ask) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(keys) == 6 and len(set(keys)) == 1
            kept = folder / "keys" / "secret_key"
            assert kept.read_text() == keys[0] and stat.S_IMODE(kept.stat().st_mode) == 0o600
            assert [one.name for one in kept.parent.iterdir()] == ["secret_key"]
    finally:
        sys.setswitchinterval(interval)


def test_the_monitors_token_is_kept_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    token = settings._made_once("metrics_token")
    assert len(token) >= 48 and settings._made_once("metrics_token") == token
    assert stat.S_IMODE((tmp_path / "keys" / "metrics_token").stat().st_mode) == 0o600
