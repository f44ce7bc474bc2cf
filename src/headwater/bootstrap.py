"""The only place where adapters meet ports: what the command line builds a run from."""

from __future__ import annotations

from collections.abc import Callable


def warm_jobs() -> list[tuple[str, Callable[[], object]]]:
    """What `headwater warmup` compiles: a name for the progress bar, and the call that compiles it."""
    return []
