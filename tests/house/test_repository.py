"""What the repository must not contain, and what it must."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import REPOSITORY

REGISTRIES = (
    "pypi" + ".org",
    "files.python" + "hosted.org",
    "conda" + ".anaconda.org",
    "registry" + ".npmjs.org",
)
PERSONAL_PATH = re.compile(r"(?<![\w.])/(home|Users|root|work)/\w+")


def text_files() -> list[Path]:
    """Files under version control that can be read as text; all files where there is no version control."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of files to read")
    return [path for name in listing.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]


def read(path: Path) -> str:
    """Text of a file, empty when it is binary."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_package_registry() -> None:
    found = [str(path) for path in text_files() for name in REGISTRIES if name in read(path)]
    assert found == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path}: {match.group()}" for path in text_files() for match in PERSONAL_PATH.finditer(read(path))
    ]
    assert found == []


def test_every_pin_carries_its_hashes() -> None:
    pins = (REPOSITORY / "requirements" / "dev.txt").read_text().replace("\\\n", " ")
    lines = [line for line in pins.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_no_file_is_larger_than_a_megabyte() -> None:
    assert [str(path) for path in text_files() if path.stat().st_size > 1_000_000] == []
