"""A dataset goes to the Hub with its charts, and a Space shows its rows: of what is published, and of nothing else."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

import hf_oss_instruct
from hf_oss_instruct.errors import PublishError, UsageError
from hf_oss_instruct.publishing.cards.terms import terms_of
from hf_oss_instruct.publishing.space import check_space
from hf_oss_instruct.reporting.page import write
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from tests.publishing.conftest import WRITE, command
from tests.support.hub import LocalHub

SPACE = "me/pairs-browser"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 40 rows with a report that compares nothing."""
    out = tmp_path_factory.mktemp("runs") / "pairs"
    spec = RunSpec(seeds=SeedPlan(n=40, sampler="functions"), checks=Checks(benchmarks=(), near_duplicates=False))
    run(out, spec, open_source("stdlib"), CommentFunctionTeacher())
    hf_oss_instruct.report(out, benchmarks=[]).save(out / "report")
    return out


def publish(hub: LocalHub, folder: Path, **options: Any) -> Any:
    return hf_oss_instruct.publish(folder, "me/pairs", endpoint=hub.endpoint, token=WRITE, allow_unchecked=True, **options)


def rows_in(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The rows in the scripts of a page."""
    found = []
    for path in sorted(path for path in files if re.fullmatch(r"rows/\d+\.js", path)):
        packed = re.fullmatch(r'ossRows\("\d+","([^"]*)"\)\n', files[path].decode())
        assert packed
        found += json.loads(zlib.decompress(base64.b64decode(packed[1]), 31))
    return found


def test_a_dataset_with_a_report_has_its_charts_in_the_card(hub: LocalHub, pairs: Path) -> None:
    publish(hub, pairs)
    files = hub.files("me/pairs")
    card = files["README.md"].decode()
    tokens = [token for block in MarkdownIt().enable("table").parse(card) for token in block.children or ()]
    shown = [str(token.attrs["src"]) for token in tokens if token.type == "image"]
    assert "report/pictures/languages.png" in shown
    for path in shown:
        assert files[path].startswith(b"\x89PNG")
    assert b"<script" not in files["report/index.html"]
    assert json.loads(files["report/report.json"])["funnel"]["requested"] == 40
    assert "options" not in json.loads(files["report/report.json"])
    assert not [path for path in files if path.startswith("report/rows")]
    assert publish(hub, pairs) is None
    publish(hub, pairs, report=False)
    files = hub.files("me/pairs")
    assert not [path for path in files if path.startswith("report/")]
    assert "## Look at it" not in files["README.md"].decode()


def test_a_space_shows_the_published_rows_and_no_others(hub: LocalHub, pairs: Path, tmp_path: Path) -> None:
    done = command(hub, tmp_path, str(pairs), "--to", "me/pairs", "--space", SPACE, "--no-seeds", "--allow-unchecked", "--yes")
    assert done.returncode == 0, done.stderr
    for repo_id in ("me/pairs", SPACE):
        assert f"Published {repo_id} → http" in done.stdout
    files = hub.files(SPACE, repo_type="space")
    card = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert (card["sdk"], card["app_file"], card["datasets"]) == ("static", "index.html", ["me/pairs"])
    assert b'id="rows"' in files["index.html"]
    rows = rows_in(files)
    assert len(rows) == json.loads(files["report.json"])["funnel"]["kept"] == json.loads((pairs / "run.json").read_text())["kept"]
    assert not [row for row in rows if row.get("seed") or row.get("received")]
    assert sum(json.loads(files["report.json"])["funnel"]["rejected"].values()) == 40 - len(rows)
    assert "NOTICE.md" in files
    assert f"https://huggingface.co/spaces/{SPACE}" in hub.files("me/pairs")["README.md"].decode()
    again = command(hub, tmp_path, str(pairs), "--to", "me/pairs", "--space", SPACE, "--no-seeds", "--allow-unchecked", "--yes")
    assert again.stdout.count("is up to date") == 2


@pytest.mark.parametrize(
    ("space", "why"),
    [
        ("noowner", "--space 'noowner' has no owner"),
        ("them/browser", "belongs to them, and you are me"),
        ("me/taken", "me/taken is a model, and this is a Space"),
    ],
)
def test_a_space_that_is_refused_leaves_the_dataset_unpublished(hub: LocalHub, pairs: Path, space: str, why: str) -> None:
    hub.put("me/taken", "config.json", b"{}", "model")
    with pytest.raises(PublishError, match=why):
        publish(hub, pairs, space=space)
    assert not [path for _, path, *_ in hub.requests if "/repos/" in path or "/commit/" in path]


def test_a_space_of_too_many_rows_has_the_charts_and_says_so(hub: LocalHub, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "MAX_PAGE_ROWS", 3)
    publish(hub, pairs, space=SPACE)
    files = hub.files(SPACE, repo_type="space")
    assert not [path for path in files if path.startswith("rows/")]
    assert b"rows, too many for a page" in files["index.html"]
    assert b"report DATASET --serve" in files["index.html"]
    assert "`hf-oss-instruct report me/pairs --serve`" in files["README.md"].decode()
    assert "`rows/`" not in files["README.md"].decode()
    assert publish(hub, pairs, space=SPACE) is None


def test_what_a_space_cannot_show_is_refused_before_anything_is_sent(hub: LocalHub, pairs: Path) -> None:
    with pytest.raises(UsageError, match="'me/pairs-browser'"):
        publish(hub, pairs, space="me/pairs")
    with pytest.raises(PublishError, match="a Space cannot ask"):
        check_space(SPACE, "me/pairs", terms_of("bigcode/the-stack"))
    broken = pairs.parent / "broken"
    (broken / "report").mkdir(parents=True)
    for name in ("run.json", "oss_instruct.yaml"):
        (broken / name).write_bytes((pairs / name).read_bytes())
    (broken / "report/report.json").write_text("{}")
    with pytest.raises(PublishError, match="Delete the folder, run report again, or pass --no-report"):
        publish(hub, broken)
    assert not [path for method, path, *_ in hub.requests if method == "POST" and "commit" in path]
