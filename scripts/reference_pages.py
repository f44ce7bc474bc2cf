"""Hook of the documentation build: what appears on the site because it exists, without a list to keep.

A reference page for every room, the decisions, and the papers that stand at the root of the repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = REPOSITORY / "src" / "headwater"
DECISIONS: Final = REPOSITORY / "docs" / "decisions"
PAPERS: Final = ("ARCHITECTURE", "STYLE", "CONTRIBUTING", "CHANGELOG", "SECURITY")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the two empty chapters of the navigation."""
    _chapter(config, "Decisions")["Decisions"] = [
        f"decisions/{path.name}" for path in sorted(DECISIONS.glob("*.md"))
    ]
    _chapter(config, "Reference")["Reference"] = [{room: f"reference/{room}.md"} for room in rooms()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add one generated page for every room, and the papers of the root."""
    for paper in PAPERS:
        text = (REPOSITORY / f"{paper}.md").read_text()
        files.append(File.generated(config, f"{paper.lower()}.md", content=text))
    for room, modules in rooms().items():
        text = f"# {room}\n\n" + "\n".join(f"::: {module}\n" for module in modules)
        files.append(File.generated(config, f"reference/{room}.md", content=text))
    return files


def rooms() -> dict[str, list[str]]:
    """Room -> its modules, dotted, the room itself first; private modules are left out."""
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if any(part.startswith("_") for part in parts):
            continue
        room = parts[1] if len(parts) > 1 else parts[0]
        found.setdefault(room, []).append(".".join(parts))
    return found


def _chapter(config: MkDocsConfig, title: str) -> dict[str, Any]:
    chapters: list[Any] = config.nav or []
    return next(each for each in chapters if isinstance(each, dict) and title in each)
