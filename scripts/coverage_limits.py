"""Hold a coverage report to its limits: lines and branches each on their own, not their mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

LINES_MIN_PERCENT: Final = 95.0
BRANCHES_MIN_PERCENT: Final = 90.0


def percent(part: int, whole: int) -> float:
    """Share in per cent; all of nothing is 100."""
    return 100.0 * part / whole if whole else 100.0


def main(report: Path) -> int:
    """Print both shares of `report` (coverage's JSON) and give back 0 when both reach their limit, else 1."""
    totals = json.loads(report.read_text())["totals"]
    lines = percent(totals["covered_lines"], totals["num_statements"])
    branches = percent(totals["covered_branches"], totals["num_branches"])
    print(f"lines {lines:.2f} % (at least {LINES_MIN_PERCENT})")
    print(f"branches {branches:.2f} % (at least {BRANCHES_MIN_PERCENT})")
    return int(lines < LINES_MIN_PERCENT or branches < BRANCHES_MIN_PERCENT)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
