"""The import contract, and that it covers every room."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

from tests.house.sources import PACKAGE, REPOSITORY

CONTRACT = REPOSITORY / ".importlinter"


def rooms() -> set[str]:
    """Rooms that hold code: folders with modules, and modules at the top."""
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    return folders | files


def test_upper_rooms_import_lower_ones_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_room_has_its_place_in_the_contract() -> None:
    contract = configparser.ConfigParser()
    contract.read(CONTRACT)
    layers = contract["importlinter:contract:layers"]["layers"]
    assert rooms() <= {name.strip(" ()") for line in layers.splitlines() for name in line.split("|")}
