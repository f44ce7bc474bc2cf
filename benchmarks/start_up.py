"""How long a fresh process takes until it is of use; standard library only, so that it runs for the peers too.

usage: python -m benchmarks.start_up {import|command} DATA WHAT [ARGUMENT ...]

``import``: seconds that importing WHAT takes, told by the process itself. ``command``: wall time of WHAT, a program beside
the interpreter, from its start to its end. DATA is not read.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.worker import Seconds, Turn, serve

IMPORT = """
import json, sys, time
busy, started = time.process_time(), time.perf_counter()
__import__(sys.argv[1])
print(json.dumps([time.perf_counter() - started, time.process_time() - busy, len(sys.modules)]))
"""


def import_turn(module: str) -> Turn:
    """Import once, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", IMPORT, module], check=True, capture_output=True, text=True)
    wall, processor, modules = json.loads(done.stdout)
    return Seconds(wall, processor), {"modules": modules}


def command_turn(program: str, arguments: list[str]) -> Turn:
    """Run a program once."""
    command = [str(Path(sys.executable).parent / program), *arguments]
    before, started = _children_seconds(), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - started
    return Seconds(wall, _children_seconds() - before), {"lines": len(done.stdout.splitlines())}


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Serve one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["import", "command"])
    parser.add_argument("data")
    parser.add_argument("what")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if given.mode == "import":
        serve(given.what, [], lambda: import_turn(given.what))
    else:
        serve(given.what, [], lambda: command_turn(given.what, given.arguments))


if __name__ == "__main__":
    main()
