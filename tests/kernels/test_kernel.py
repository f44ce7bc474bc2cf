"""Kernels in files of other people."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.compiled
def test_a_kernel_in_a_file_outside_the_package_compiles_and_is_not_kept(tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text(
        "from headwater.kernels.kernel import kernel\n\n\n@kernel\ndef twice(x):\n    return 2 * x\n"
    )
    spec = importlib.util.spec_from_file_location("mine", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.twice(21) == 42
    assert sorted(tmp_path.rglob("*.nb*")) == []
