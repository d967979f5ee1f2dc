"""Licenses, opt-out and seed filters at work in a draw: who is refused, why, and that as many seeds come as were asked for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.code.syntax import why_unsuitable
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.data import Seed, Skipped
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.seeds.filters import FILTERS
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.seeds.source import pinned, with_defaults
from hf_oss_instruct.seeds.tables.hub import HubTables
from hf_oss_instruct.spec.run import RunSpec, magicoder
from hf_oss_instruct.spec.seeds import SeedPlan
from tests.support.hub import LocalHub

GOOD = "def half(x):\n    return x / 2\n"


def table(path: Path, *rows: dict[str, Any]) -> str:
    text = "".join(json.dumps({"content": GOOD, "lang": "python", "id": f"{n}"} | row) + "\n" for n, row in enumerate(rows))
    path.write_text(text)
    return str(path)


def drawn(source: str, **plan: Any) -> tuple[list[Seed], Counter[tuple[str, bool]]]:
    items = list(sample(open_source(source), SeedPlan(**plan)))
    skipped = Counter((item.reason, item.snippet) for item in items if isinstance(item, Skipped))
    return [item for item in items if isinstance(item, Seed)], skipped


def test_a_policy_takes_what_it_allows_and_counts_the_rest(tmp_path: Path) -> None:
    rows = [{"license": "MIT"}, {"license": "GPL-3.0-only"}, {}, {"content": f"# SPDX-License-Identifier: ISC\n{GOOD}"}]
    source = table(tmp_path / "a.jsonl", *rows)
    seeds, skipped = drawn(source, licenses="permissive", filters=())
    assert [seed.origin.row_id for seed in seeds] == ["0", "3"]
    assert seeds[1].origin.licenses == ("ISC",)
    assert skipped == {("license", False): 1, ("license_unknown", False): 1}
    assert [seed.origin.row_id for seed in drawn(source, licenses="GPL-3.0-only,ISC", filters=())[0]] == ["1", "3"]
    assert len(drawn(source)[0]) == 4  # a user's own files: any license, recorded


def test_code_from_the_hub_must_be_permissive_but_starcoderdata_is_by_construction() -> None:
    with LocalHub() as hub:
        for name in ("ns/code", "bigcode/starcoderdata"):
            hub.put(name, "python/a.jsonl", json.dumps({"content": GOOD}).encode())
        reasons = {}
        for name in ("ns/code", "bigcode/starcoderdata"):
            items = list(sample(HubTables(name, endpoint=hub.endpoint), SeedPlan()))
            reasons[name] = [getattr(item, "reason", "seed") for item in items]
    assert reasons == {"ns/code": ["license_unknown"], "bigcode/starcoderdata": ["seed"]}


def test_what_was_opted_out_gives_no_seed(tmp_path: Path) -> None:
    source = table(tmp_path / "a.jsonl", {"repo_name": "a/b"}, {"repo_name": "c/d"}, {})
    seeds, skipped = drawn(source, deny=Denylist.of("a/b\nid: 2"))
    assert [seed.origin.repo_name for seed in seeds] == ["c/d"]
    assert skipped == {("denied", False): 2}


def test_documents_that_do_not_parse_or_define_nothing_give_no_seed(tmp_path: Path) -> None:
    source = table(tmp_path / "a.jsonl", {}, {"content": "total = 1 + 2\n"}, {"content": "<html>((( %% def\n" * 5})
    seeds, skipped = drawn(source)
    assert [seed.origin.row_id for seed in seeds] == ["0"]
    assert skipped == {("no_definition", False): 1, ("does_not_parse", False): 1}
    assert len(drawn(source, filters=())[0]) == 3


def test_a_refused_snippet_is_replaced_by_the_documents_next_and_counted(tmp_path: Path) -> None:
    """Half of the file is a license: whatever is drawn there is drawn again, and as many seeds come as were asked for."""
    text = "# Copyright 2024\n# All rights reserved.\n" * 20 + "\n".join(f"def f{n}(x):\n    return x + {n}" for n in range(20))
    source = table(tmp_path / "a.jsonl", {"content": text})
    seeds, skipped = drawn(source, n=20)
    assert len({seed.seed_id for seed in seeds}) == 20
    assert all("def f" in seed.snippet or "return" in seed.snippet for seed in seeds)
    assert set(skipped) == {("license_header", True)}


def test_a_document_that_is_refused_again_and_again_is_given_up(tmp_path: Path) -> None:
    source = table(tmp_path / "a.jsonl", {"content": "import os\n" * 400})
    assert drawn(source) == ([], Counter({("imports_only", False): 1}))


def test_the_papers_preset_refuses_nothing_and_others_say_what_they_refuse(tmp_path: Path) -> None:
    assert (magicoder().seeds.licenses, magicoder().seeds.filters) == ("any", ())
    source = open_source(table(tmp_path / "a.jsonl", {}))
    config = RunSpec(pinned(SeedPlan(), source))
    assert (config.seeds.licenses, config.seeds.filters) == ("any", FILTERS)
    assert with_defaults(SeedPlan(sampler="magicoder"), source).filters == ()
    assert RunSpec.from_yaml(config.to_yaml()) == config
    denied = RunSpec(seeds=SeedPlan(deny=Denylist.of("a/b"), one_in=7, licenses="MIT"))
    again = RunSpec.from_yaml(denied.to_yaml())
    assert again == denied
    assert "a/b" not in denied.to_yaml()
    with pytest.raises(UsageError, match="--deny FILE"):
        list(sample(source, again.seeds))
    assert denied.hash != RunSpec(seeds=SeedPlan(deny=Denylist.of("a/c"), one_in=7, licenses="MIT")).hash


@pytest.mark.parametrize("plan", [{"licenses": "whatever"}, {"filters": ("nice",)}, {"one_in": 0}])
def test_a_plan_that_makes_no_sense_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SeedPlan(**plan)


@pytest.mark.parametrize(
    ("lang", "content", "reason"),
    [
        ("python", "class A:\n    x = 1\n", None),
        ("python", "x = 1\n", "no_definition"),
        ("shell", "ls -l\n", None),
        ("c", "class A { public: int f() const { return 1; } };\n", None),
        ("c", "int f(int a);\n#define X 1\n", "no_definition"),
        ("javascript", "export const f = (x) => x + 1\n", None),
        ("ruby", "def f\n  1\nend\n", None),
        ("swift", "func f() -> Int { 1 }\n", None),
        ("rust", "pub struct A;\n", None),
        ("haskell", "main = print 1\n", None),
        ("python", "def f():\n    return 1\n" + "x" * 1_000_001, "too_large"),
        ("python", "def f(:\n" * 3 + "}}} ((\n" * 40, "does_not_parse"),
    ],
)
def test_a_document_is_worth_a_seed_if_it_parses_and_defines_something(lang: str, content: str, reason: str | None) -> None:
    assert why_unsuitable(content, lang) == reason
