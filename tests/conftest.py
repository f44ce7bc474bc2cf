"""What every test can ask for: the real data, and how many examples Hypothesis tries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

# Machines are shared and kernels compile on first use: wall time says nothing about a property.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _UNTIMED, max_examples=60)
settings.register_profile("interpreted", _UNTIMED, max_examples=8, derandomize=True)
settings.register_profile("deep", _UNTIMED, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """Folder of the real recordings: ``$HEADWATER_DEV_DATA``, or ``shared/data/dev`` beside the checkout."""
    named = os.environ.get("HEADWATER_DEV_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "dev"
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}: set HEADWATER_DEV_DATA to its folder")
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests marked deep unless asked for; mark those on real data: too long for plain Python."""
    for item in items:
        if "dev_data" in getattr(item, "fixturenames", ()):
            item.add_marker("compiled")
    if os.environ.get("HYPOTHESIS_PROFILE") == "deep" or "deep" in (config.getoption("markexpr") or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("deep")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
