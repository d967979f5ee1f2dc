# /// script
# requires-python = ">=3.11"
# dependencies = ["hf-oss-instruct"]
# ///
"""Make pairs and publish them: one job, for `uv run` and for a machine that is gone afterwards.

uv run synthesize.py --to me/pairs --seeds bigcode/the-stack --n 2000 --model Qwen/Qwen2.5-Coder-32B-Instruct
hf jobs uv run --secrets HF_TOKEN synthesize.py --to me/pairs …
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, epilog="All else goes to hf-oss-instruct synthesize.", allow_abbrev=False)
parser.add_argument("--to", required=True, help="the dataset on the Hub")
parser.add_argument("--out", default="pairs", help="folder of the run; an interrupted one goes on")
parser.add_argument("--publish", default="", metavar="FLAGS", help="flags of publish, such as '--no-seeds --private'")
job, flags = parser.parse_known_args()

command = Path(sys.executable).with_name("hf-oss-instruct")
for words in (
    ["synthesize", *flags, "--out", job.out],
    ["publish", job.out, "--to", job.to, "--yes", *shlex.split(job.publish)],
):
    if code := subprocess.run([command, *words]).returncode:
        sys.exit(code)
