"""mkdocs hooks: pages from the repository's root, the API reference, and links that leave docs/.

The pages are also read in the repository, where a link such as `../examples/` works. On the site, its target is either another
page, or nothing: the link then becomes inline code.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from api_reference import api_reference
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
OUTSIDE = {"CHANGELOG.md": "changelog.md", "ARCHITECTURE.md": "architecture.md", "CONTRIBUTING.md": "contributing.md"}
"""Path in the repository → page of the site."""
API_MARKER = "<!-- api -->"
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s:#]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie at the repository's root."""
    for name, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Resolve links that leave docs/ and write the API reference."""
    base = ROOT if page.file.src_uri in OUTSIDE.values() else ROOT / "docs"
    if API_MARKER in markdown:
        markdown = markdown.replace(API_MARKER, api_reference())
    return _LINK.sub(lambda link: _resolved(link, base), markdown)


def _resolved(link: re.Match[str], base: Path) -> str:
    """The link as the site can follow it: to a page, or as plain text."""
    text, target, anchor = link.group(1), link.group(2), link.group(3) or ""
    path = (base / target).resolve()
    if not path.is_relative_to(ROOT) or not path.exists():
        return link.group()  # mkdocs reports it
    inside = path.relative_to(ROOT).as_posix()
    if inside.startswith("docs/"):
        return f"[{text}]({inside.removeprefix('docs/')}{anchor})"
    if inside in OUTSIDE:
        return f"[{text}]({OUTSIDE[inside]}{anchor})"
    return f"`{inside}{'/' if path.is_dir() else ''}`"
