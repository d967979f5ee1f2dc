"""Stream five rows out of your own source files with `load_dataset`: a row is made when it is read.

python examples/stream_rows.py "src/**/*.py"
"""

import sys

from datasets import load_dataset

import hf_oss_instruct  # noqa: F401  # makes the name "oss-instruct" known

pattern = sys.argv[1] if len(sys.argv) > 1 else "src/**/*.py"
rows = load_dataset("oss-instruct", data_files=pattern, split="train", streaming=True)
for row in rows.take(5):
    print(f"── {row['file_path']}:{row['start_line']}-{row['end_line']}\n{row['problem']}\n")
