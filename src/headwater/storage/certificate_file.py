"""Certificates beside the data they certify, as JSON."""

from __future__ import annotations

from pathlib import Path

import msgspec

from headwater.storage.transaction import write_durably
from headwater.tape.certificate import CERTIFICATE_VERSION, Certificate


def read_certificate(path: Path, content: str) -> Certificate | None:
    """The certificate at `path` if it is of this version and certifies `content`, else None."""
    try:
        certificate = msgspec.json.decode(path.read_bytes(), type=Certificate)
    except (OSError, msgspec.MsgspecError):
        return None  # absent, or not of this version: it is made again
    is_current = certificate.version == CERTIFICATE_VERSION and certificate.content == content
    return certificate if is_current else None


def write_certificate(path: Path, certificate: Certificate) -> None:
    """Keep `certificate` at `path`, replacing an older one at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    write_durably(fresh, msgspec.json.format(msgspec.json.encode(certificate.to_dict()), indent=1))
    fresh.rename(path)
