"""Put measured figures into README.md: ``python -m scripts.figures``, after ``make bench``.

They are taken from ``benchmarks/results/latest.json``, never typed. The measurement is kept beside the text as
``published.json``, and a test compares the two.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PAGE: Final = REPOSITORY / "README.md"
RESULTS: Final = REPOSITORY / "benchmarks" / "results"
PUBLISHED: Final = RESULTS / "published.json"
BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"
NONE_YET: Final = "No measurement is published with this version: `make bench` measures on your machine."


def rendered(measurement: dict[str, Any]) -> str:
    """The table of a measurement, and under which conditions it was made."""
    head = ("workload", "Headwater", "peer", "", "the peer takes")
    rows = [head, ("---", "---:", "---", "---:", "---:")]
    for workload in measurement["workloads"]:
        rows += _rows(workload)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n{_conditions(measurement['conditions'])}"


def _rows(workload: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """One row for each peer, or one for Headwater alone; rates are those of the median turn."""
    ours, *peers = workload["sides"]
    what = f"`{workload['name']}`: {workload['title']}"
    own = _speed(ours, workload)
    if not peers:
        yield what, own, "", "", ""
    for at, peer in enumerate(peers):
        ratio = workload["ratios"][peer["name"]]
        times = f"{ratio['median']:.1f} x ({ratio['min']:.1f} to {ratio['max']:.1f})"
        first = (what, own) if at == 0 else ("", "")
        yield *first, peer["name"], _speed(peer, workload), times


def _speed(side: dict[str, Any], workload: dict[str, Any]) -> str:
    """Units a second; the time where the work is one thing, such as a start."""
    if workload["size"] == 1:
        return f"{side['median_seconds']:.3f} s"
    rate = side["per_second"]
    if rate >= 1e6:
        return f"{rate / 1e6:.1f} M {workload['unit']}/s"
    return f"{rate:,.0f} {workload['unit']}/s"


def _conditions(found: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"{found['processor']}, {found['cores']} cores, pinned to one; {found['system']}; Python {found['python']}, "
        f"{versions}; commit {found['commit']}, {found['at'][:10]}. Rates and times of the median turn; ratios turn "
        "by turn, smallest and largest in brackets."
    )


def with_figures(page: str, figures: str) -> str:
    """`page` with `figures` between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def figures_of(page: str) -> str:
    """What stands between the two marks."""
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def main(latest: Path) -> int:
    """Publish `latest`; 1, and nothing is written, when a workload of it failed."""
    measurement = json.loads(latest.read_text())
    if measurement["failures"]:
        names = ", ".join(failure["name"] for failure in measurement["failures"])
        print(f"error: expected a measurement without failures, found {names} in {latest}", file=sys.stderr)
        return 1
    PUBLISHED.write_text(json.dumps(measurement, indent=1) + "\n")
    PAGE.write_text(with_figures(PAGE.read_text(), rendered(measurement)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS / "latest.json"))
