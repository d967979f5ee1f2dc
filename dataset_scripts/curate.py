# /// script
# requires-python = ">=3.11"
# dependencies = ["hf-oss-instruct"]
# ///
"""Check a published run anew, against other lists or with names that asked to be left out, and publish what passes.

uv run curate.py me/pairs --to me/pairs --deny opt_outs.txt
hf jobs uv run --secrets HF_TOKEN curate.py me/pairs --to me/clean --benchmarks default,livecodebench
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from huggingface_hub import snapshot_download

parser = argparse.ArgumentParser(description=__doc__, epilog="All else goes to hf-oss-instruct curate.", allow_abbrev=False)
parser.add_argument("source", help="a run: its folder, or its dataset on the Hub")
parser.add_argument("--to", required=True, help="the dataset on the Hub")
parser.add_argument("--out", default="clean", help="a new folder")
parser.add_argument("--publish", default="", metavar="FLAGS", help="flags of publish, such as '--no-seeds --private'")
job, flags = parser.parse_known_args()

source = job.source if Path(job.source).exists() else snapshot_download(job.source, repo_type="dataset")
command = Path(sys.executable).with_name("hf-oss-instruct")
for words in (
    ["curate", source, *flags, "--out", job.out],
    ["publish", job.out, "--to", job.to, "--yes", *shlex.split(job.publish)],
):
    if code := subprocess.run([command, *words]).returncode:
        sys.exit(code)
