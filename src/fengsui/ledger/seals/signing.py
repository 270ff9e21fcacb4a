"""The ledger's Ed25519 key: made once, kept in the data folder (mode 0600), turned over by endorsement.

``keys/seal.pem`` is the private key in use; ``keys/seal-ID.pub`` are the public keys of every one ever used,
which a verifier trusts before anything the database says. ``ID`` is the first 16 hex digits of the
SHA-256 of the raw public key. A new key is endorsed by the one before it.

SM2 signatures are not offered: no well-kept Python library signs with SM2 (``gmssl`` is plain Python with
variable-time arithmetic). An SM3 digest of a head is (``sm3``), where this build of OpenSSL has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fengsui import files

PRIVATE = "seal.pem"


class NoKey(Exception):
    """The private key is missing or unreadable; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key in use. ``public`` is its raw public key, 32 bytes."""

    key_id: str
    public: bytes
    private: Ed25519PrivateKey

    def sign(self, purpose: str, data: bytes) -> bytes:
        """A signature (64 bytes) over ``data`` for one purpose, so that a receipt never passes for a head."""
        return self.private.sign(_framed(purpose, data))


def _framed(purpose: str, data: bytes) -> bytes:
    return b"fengsui " + purpose.encode() + b" 1\n" + data


def key_id_of(public: bytes) -> str:
    """The short name of a raw public key."""
    return sha256(public).hexdigest()[:16]


def genuine(public: bytes, signature: bytes, purpose: str, data: bytes) -> bool:
    """Whether ``signature`` over ``data`` for this purpose was made with the private half of ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _framed(purpose, data))
    except (InvalidSignature, ValueError):
        return False
    return True


def load(folder: Path) -> Signer:
    """The key in use. Raises ``NoKey``."""
    path = folder / PRIVATE
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise NoKey(f"{path} is missing: start the sealer once, or restore the keys from a backup") from None
    except (OSError, ValueError) as error:
        raise NoKey(f"{path} cannot be read ({error}): restore the keys from a backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise NoKey(f"{path} is no Ed25519 key: restore the keys from a backup")
    return _signer(private)


def load_or_make(folder: Path) -> Signer:
    """The key in use; the very first call makes it. Several processes may call at once."""
    if not (folder / PRIVATE).exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _keep(folder, Ed25519PrivateKey.generate(), replace=False)
    return load(folder)


@dataclass(frozen=True, slots=True)
class Succession:
    """A new key that the one in use has endorsed but that signs nothing yet."""

    old: Signer
    new: Signer
    endorsement: bytes


def succession(folder: Path) -> Succession:
    """A successor for the key in use. Nothing is written: record the endorsement, then `succeed`. Raises ``NoKey``."""
    old, new = load(folder), _signer(Ed25519PrivateKey.generate())
    return Succession(old, new, old.sign("key", new.public))


def succeed(folder: Path, to: Succession) -> None:
    """Sign with the new key from now on; the old private key is gone afterwards."""
    _keep(folder, to.new.private, replace=True)


def public_keys(folder: Path) -> dict[str, bytes]:
    """Every public key kept in the folder, by its id."""
    known = {}
    for path in sorted(folder.glob("seal-*.pub")):
        public = bytes.fromhex(path.read_text().strip())
        known[key_id_of(public)] = public
    return known


def sm3(data: bytes) -> bytes | None:
    """The SM3 digest (GB/T 32905) of ``data``; ``None`` where this build of OpenSSL has none."""
    try:
        digest = hashes.Hash(hashes.SM3())
    except UnsupportedAlgorithm:
        return None
    digest.update(data)
    return digest.finalize()


def _signer(private: Ed25519PrivateKey) -> Signer:
    public = private.public_key().public_bytes_raw()
    return Signer(key_id_of(public), public, private)


def _keep(folder: Path, private: Ed25519PrivateKey, *, replace: bool) -> None:
    """The public key first: of a process that is killed in between stays one that verifies nothing, not a key unknown to all."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = private.private_bytes(*form).decode()
    signer = _signer(private)
    public = folder / f"seal-{signer.key_id}.pub"
    files.write_whole(public, signer.public.hex() + "\n", mode=0o644)
    if replace:
        files.write_whole(folder / PRIVATE, pem)
    elif files.kept(folder / PRIVATE, lambda: pem) != pem.strip():
        public.unlink()  # another process was first
