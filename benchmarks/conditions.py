"""Under which conditions something was measured: machine, versions, what else was running."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from benchmarks.turns import REPOSITORY
from headwater.cli.doctor import processor_name


def conditions(core: int | None) -> dict[str, Any]:
    """Everything that a reader needs to judge a figure, as plain data."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "pinned_to_core": core,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("headwater", "numba", "numpy", "polars")},
        "commit": commit(),
    }


def commit() -> str:
    """The commit measured, with "+changes" when the work tree differs from it; "" outside a checkout."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+changes", "--abbrev=12", "--exclude=*"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()
