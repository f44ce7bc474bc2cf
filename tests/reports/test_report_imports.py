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


def test_warming_up_compiles_every_kernel_that_a_report_needs() -> None:
    code = (
        "from headwater.reports.warm import warm_reports\n"
        "from headwater.reports import downsample, drawdown, equity, fill_values, mark_outs, order_flow\n"
        "from headwater.reports import pnl_split, returns, round_trips, valuation\n"
        "rooms = [downsample, drawdown, equity, fill_values, mark_outs, order_flow, pnl_split, returns,\n"
        "         round_trips, valuation]\n"
        "warm_reports()\n"
        "kernels = [f for room in rooms for f in vars(room).values() if hasattr(f, 'nopython_signatures')]\n"
        "inner = {'_append', '_value', '_open', '_age', '_take_part', '_enter', '_leave', '_finish',\n"
        "         '_value_open', '_report', 'best_price', 'value_of_lot'}\n"
        "print([f.__name__ for f in kernels if not f.signatures and f.__name__ not in inner])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
