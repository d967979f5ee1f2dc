"""Build 500 seeds' worth of rows once, and load them from the cache ever after.

python examples/build_and_cache.py                          # the embedded teacher, Python's own standard library
OSS_INSTRUCT_MODEL=my-model OSS_INSTRUCT_BASE_URL=http://localhost:8080/v1 python examples/build_and_cache.py

Interrupt it when you like: every answer is in a journal, and the next call goes on. `rows.push_to_hub("you/pairs")` publishes.
"""

import time

from datasets import load_dataset

import hf_oss_instruct  # noqa: F401  # makes the name "oss-instruct" known

for name in ("built or resumed", "loaded from the cache"):
    started = time.monotonic()
    rows = load_dataset("oss-instruct", seeds="stdlib", n=500, split="train")
    print(f"{name}: {len(rows)} rows in {time.monotonic() - started:.1f} s")
print(rows[0]["problem"])
