# /// script
# requires-python = ">=3.11"
# dependencies = ["hf-oss-instruct", "lighteval>=0.13.0,<0.14"]
# ///
"""Let a model answer benchmarks, judge the answers in the sandbox, and put the scores on the model's page.

    uv run evaluate.py me/model --task humaneval_plus --task mbpp_plus
    hf jobs uv run --flavor a10g-small --secrets HF_TOKEN evaluate.py them/model --task humaneval_plus --publish=--create-pr

The sandbox needs bubblewrap or Landlock, and where the machine allows neither, nothing is run.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, epilog="All else goes to hf-oss-instruct evaluate.", allow_abbrev=False)
parser.add_argument("model", help="a model on the Hub")
parser.add_argument("--to", help="the model whose card gets the scores, where that is another one")
parser.add_argument("--out", default="results", help="folder of the answers and verdicts; an interrupted run goes on")
parser.add_argument("--publish", default="", metavar="FLAGS", help="flags of publish, such as '--create-pr'")
job, flags = parser.parse_known_args()

command = Path(sys.executable).with_name("hf-oss-instruct")
for words in (
    ["evaluate", "--model", job.model, *flags, "--out", job.out],
    ["publish", job.out, "--to", job.to or job.model, "--yes", *shlex.split(job.publish)],
):
    if code := subprocess.run([command, *words]).returncode:
        sys.exit(code)
