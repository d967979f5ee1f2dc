"""Photograph a report for README and docs: the top of the page, and a row of its browser.

    python docs/pictures/report.py --data ../shared/data      # a folder with evalplus' HumanEvalPlus.jsonl.gz

The dataset is 600 functions of Python's standard library, turned into pairs by the embedded teacher: the same Python gives the
same rows. Needs Debian's chromium and chromium-driver; another version of them, or other fonts, may draw other pixels.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
os.environ["HF_HOME"] = tempfile.mkdtemp()  # no answers of earlier runs: their number is in the picture

from tests.reporting.page.browser import chromium, look, until  # noqa: E402

import hf_oss_instruct  # noqa: E402

WIDTH = 1280
PICTURES = (
    ("report", "", "body", 740),
    ("report-map", "", "#diversity", 680),
    ("report-row", "#row=kept-3", "#rows", 1000),
)
"""Name, anchor of the page, element at the top of the picture, height."""


def dataset(folder: Path, benchmark: Path) -> Path:
    """A run in a folder."""
    hf_oss_instruct.synthesize_to_disk(
        hf_oss_instruct.read_seeds("stdlib", n=600, sampler="functions"),
        hf_oss_instruct.CommentFunctionTeacher(),
        folder,
        checks=hf_oss_instruct.Checks(benchmarks=[str(benchmark)]),
    )
    facts = json.loads((folder / "run.json").read_text())
    del facts["seconds"]  # no clock in a picture
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


def photograph(page: Path, profile: Path) -> None:
    """Write the top of the page, the map and a row."""
    with chromium(profile) as driver:
        look(driver, WIDTH)
        for name, anchor, place, height in PICTURES:
            driver.get("about:blank")
            driver.get(page.as_uri() + anchor)
            until(driver, lambda: driver.execute_script("return document.getElementById('count').textContent.includes('of ')"))
            until(driver, lambda row=anchor: not row or driver.execute_script("return document.querySelector('article')"))
            driver.execute_script("document.querySelector('nav').style.position = 'static'")
            top = driver.execute_script("return document.querySelector(arguments[0]).getBoundingClientRect().y + scrollY", place)
            clip = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": 1}
            taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
            (HERE / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    benchmark = next(parser.parse_args().data.resolve().rglob("HumanEvalPlus.jsonl.gz"))
    with tempfile.TemporaryDirectory() as place:
        run = dataset(Path(place, "standard-library"), benchmark)
        page = hf_oss_instruct.report(run, benchmarks=[str(benchmark)]).save(Path(place, "report"))
        photograph(page, Path(place, "profile"))


if __name__ == "__main__":
    main()
