"""The ledger's key on disk: one for all who make it at once, and never one that a verifier does not know."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fengsui import files
from fengsui.ledger.seals import signing


def test_of_several_who_make_the_key_at_once_one_counts(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = {signer.key_id for signer in pool.map(lambda _: signing.load_or_make(tmp_path / "keys"), range(32))}
    assert len(made) == 1 and set(signing.public_keys(tmp_path / "keys")) == made


def test_a_key_whose_public_half_could_not_be_written_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a process killed in between, left a key that signed and that no verifier trusted."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    keys = tmp_path / "keys"
    with monkeypatch.context() as disk:
        disk.setattr(files, "write_whole", full)
        disk.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space"):
            signing.load_or_make(keys)
    assert not (keys / signing.PRIVATE).exists()
    first = signing.load_or_make(keys)
    signing.succeed(keys, signing.succession(keys))
    assert set(signing.public_keys(keys)) == {first.key_id, signing.load(keys).key_id}
    assert oct((keys / signing.PRIVATE).stat().st_mode & 0o777) == "0o600"
