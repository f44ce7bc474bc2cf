"""Reports are light until they are written."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("plotly", "pyarrow", "polars", "rich")


def test_statistics_import_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys\n"
        "import headwater.reports.statistics, headwater.reports.summary, headwater.reports.write\n"
        "import headwater.reports.compare\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
