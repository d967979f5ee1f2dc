"""Rows that break parsers: files that are no code, and answers that no one should send. A shard finishes, and counts each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hf_oss_instruct.scale.merge import merge
from hf_oss_instruct.scale.plan import write_plan
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher, well_formed

from .test_merge import files

CODE = b"".join(b"def f_%d(x):\n    y = x + %d\n    return y * %d\n\n" % (n, n, n) for n in range(4))
FILES = {
    "nul": CODE + b"\0\0\0" + CODE,
    "not-utf8": CODE + b"# \xff\xfe\xe9\n" + CODE,
    "surrogates": CODE + b"s = '\xed\xa0\x80'\n" + CODE,
    "utf16": CODE.decode().encode("utf-16"),
    "controls": CODE + bytes(range(1, 32)) + CODE,
    "long-line": b"x = '" + b"a" * 10_000_000 + b"'\n" + CODE,
    "parentheses": b"x = " + b"(" * 100_000 + b")" * 100_000 + b"\n" + CODE,
    "operators": b"x = " + b"-" * 50_000 + b"1\n" + CODE,
    "attributes": b"x = a" + b".b" * 50_000 + b"\n" + CODE,
    "number": b"x = " + b"9" * 50_000 + b"\n" + CODE,
    "indented": b"".join(b" " * n + b"if x:\n" for n in range(200)) + CODE,
    "spaces": b"#" + b" " * 200_000 + b"x\n" + CODE,
    "lines": b"\n" * 500_000,
    "empty": b"",
}


def inside(pair: str, text: str) -> str:
    return pair.replace("return values", f"return {text}")


ANSWERS: dict[str, Callable[[str], Answer]] = {
    "NULs": lambda pair: Answer(text="\0" * 1000 + pair),
    "fences": lambda pair: Answer(text="[Problem Description]\nWrite it.\n\n[Solution]\n" + "```python\nx = 1\n```\n" * 100_000),
    "markers": lambda pair: Answer(text="[Problem Description]\n" * 100_000),
    "brackets": lambda pair: Answer(text="[" * 1_000_000),
    "backticks": lambda pair: Answer(text=pair.replace("```python", "```" * 20_000)),
    "spaces": lambda pair: Answer(text=f"{pair}\n{' ' * 2_000_000}x"),
    "quotes": lambda pair: Answer(text=">" * 100_000 + pair),
    "lists": lambda pair: Answer(text="- " * 50_000 + pair),
    "emphasis": lambda pair: Answer(text="*" * 100_000 + "_" * 100_000 + pair),
    "links": lambda pair: Answer(text=pair + "![a](" * 50_000),
    "thoughts": lambda pair: Answer(text="<think>" * 100_000 + pair),
    "parentheses": lambda pair: Answer(text=inside(pair, "(" * 50_000 + "1" + ")" * 50_000)),
    "operators": lambda pair: Answer(text=inside(pair, "-" * 100_000 + "1")),
    "number": lambda pair: Answer(text=inside(pair, "9" * 100_000)),
    "surrogate": lambda pair: raw('"\\ud800 ' + json.dumps(pair)[1:]),
    "objects": lambda pair: raw('{"a":' * 100 + "1" + "}" * 100),
    "one long word": lambda pair: Answer(text="a" * 10_000_000),
}
N = 2 * len(ANSWERS)


def raw(content: str) -> Answer:
    body = f'{{"choices": [{{"message": {{"content": {content}}}, "finish_reason": "stop"}}], "model": "m"}}'
    return Answer(raw=body.encode())


def test_a_poisoned_row_does_not_stop_its_shard_and_is_counted(tmp_path: Path) -> None:
    """Every second prompt gets a poisoned answer, whichever shard asks."""
    code = tmp_path / "code"
    code.mkdir()
    for name, data in FILES.items():
        (code / f"{name}.py").write_bytes(data)
    for number in range(12):
        body = "\n".join(f"def task_{number}_{line}(x):\n    return x + {number * 100 + line}\n" for line in range(8))
        (code / f"good_{number}.py").write_text(body)
    given: dict[str, int] = {}

    def answer(body: dict[str, Any]) -> Answer:
        number = given.setdefault(json.dumps(body["messages"]), len(given))
        kinds = list(ANSWERS.values())
        if number % 2 and number // 2 < len(kinds):
            return kinds[number // 2](well_formed(body["messages"]))
        return Answer()

    spec, source = RunSpec(SeedPlan(n=N, filters=()), TeacherSpec(concurrency=4)), open_source(str(code))
    with LocalTeacher(answer) as server:
        teacher = InferenceTeacher("m", server.base_url, concurrency=4, timeout_s=60)
        for shard, out in write_plan(tmp_path / "plan", spec, source, teacher, 2, str(code)):
            result = run(out, replace(spec, seeds=replace(spec.seeds, shard=shard)), source, teacher)
            assert result.error is None
            assert result.stats.pending == 0
            assert result.stats.kept + result.stats.rejected.total() == N // 2
        assert len(given) > 2 * len(ANSWERS) - 2, "every kind of answer was given"
    stats = merge([tmp_path / "plan"], tmp_path / "merged")
    assert (stats.requested, stats.pending) == (N, 0)
    assert stats.kept + stats.rejected.total() == N
    assert stats.rejected["unparsable"] >= 3
    assert set(stats.skipped) == {"empty", "not_utf8", "binary", "too_large"}
    assert files(tmp_path / "merged")
