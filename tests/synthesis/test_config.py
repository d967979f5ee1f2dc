"""A run config: what it says, what it refuses, and that it never names a server, key, price or path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.cli import cli
from hf_oss_instruct.code.languages import LANGUAGES
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.seeds.filters import FILTERS
from hf_oss_instruct.seeds.sampling import SAMPLERS
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.prompts import Prompt, PromptSpec
from hf_oss_instruct.spec.run import RunSpec, magicoder
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.seeds import SeedPlan

counts = st.dictionaries(st.sampled_from([language.name for language in LANGUAGES]), st.integers(1, 10**6), min_size=1)
printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
plans = st.builds(
    SeedPlan,
    source=printable.filter(bool),
    revision=st.none() | printable,
    n=st.none() | st.integers(1, 10**6),
    sampler=st.sampled_from(sorted(SAMPLERS)),
    snippets_per_document=st.none() | st.integers(1, 9),
    rng_seed=st.integers(0, 2**63 - 1),
    licenses=st.none() | st.sampled_from(["any", "permissive", "MIT,Apache-2.0"]),
    filters=st.none() | st.lists(st.sampled_from(FILTERS), unique=True).map(tuple),
    one_in=st.integers(1, 10**6),
    deny=st.none() | st.builds(Denylist.of, st.sampled_from(["", "a/b", "id: 1"])),
) | st.builds(lambda languages: SeedPlan(languages=tuple(languages.items())), counts)
configs = st.builds(
    RunSpec,
    seeds=plans,
    prompt=st.builds(
        PromptSpec,
        prompt=st.builds(lambda text: Prompt(text + "{code}"), printable),
        parser=st.sampled_from(["default", "magicoder"]),
    ),
    sampling=st.builds(
        Sampling,
        temperature=st.floats(0, 2),
        top_p=st.none() | st.floats(0, 1, exclude_min=True),
        max_tokens=st.integers(1, 10**5),
    ),
    checks=st.builds(
        Checks,
        duplicates=st.booleans(),
        near_duplicates=st.booleans(),
        benchmarks=st.sampled_from([(), ("default",), ("mbpp", "exam@xxh3:0f")]),
        rule=st.sampled_from(["default", "magicoder"]),
        contaminated=st.sampled_from(["drop", "flag"]),
    ),
)


@given(configs)
def test_yaml_gives_the_same_config_back(config: RunSpec) -> None:
    again = RunSpec.from_yaml(config.to_yaml())
    assert again == config
    assert again.hash == config.hash
    assert not again.differences(config)


def test_differences_name_the_key_and_both_values() -> None:
    there = RunSpec(seeds=SeedPlan(n=200))
    here = replace(there, seeds=SeedPlan(n=2000), sampling=Sampling(temperature=0.7))
    assert there.differences(here) == ["--n: 200 in the folder, 2000 now", "--temperature: 0.0 in the folder, 0.7 now"]


def test_differences_are_shown_as_the_flags_that_make_them() -> None:
    plain = RunSpec().changed(seeds={"languages": {"python": 2}})
    other = RunSpec().changed(
        seeds={"languages": ["go"], "balance": True, "filters": ()},
        sampling={"send_seed": False, "extra_body": {"top_k": 20}},
        verification={"verify": True, "keep": "all"},
        checks={"benchmarks": (), "near_duplicates": False},
    )
    assert plain.differences(other) == [
        "--languages: python=2 in the folder, go now",
        "--filters: auto in the folder, none now",
        "--near-duplicates: on in the folder, off now",
        "--benchmarks: default in the folder, none now",
        "--balance: off in the folder, on now",
        "--no-seed: off in the folder, on now",
        '--extra-body: not given in the folder, {"top_k": 20} now',
        "--verify: off in the folder, on now",
        "--keep: passing in the folder, all now",
    ]


def test_the_magicoder_preset_is_the_papers() -> None:
    config = magicoder()
    assert config.seeds.requested == 80_000
    assert dict(config.seeds.languages)["python"] == 40_000
    assert {n for name, n in config.seeds.languages if name != "python"} == {5_000}
    assert {name for name, _ in config.seeds.languages} == set("python cpp java typescript shell csharp rust php swift".split())
    assert (config.seeds.sampler, config.seeds.rng_seed, config.prompt.parser) == ("magicoder", 976, "magicoder")
    assert (config.sampling.temperature, config.sampling.max_tokens) == (0.0, 2500)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 1\nteacher: gpt", "unknown keys: teacher"),
        ("version: 1\nseeds: {dataset: stdlib, path: /etc}", "unknown keys: seeds.path"),
        ("version: 1\nsampling: {base_url: http://evil}", "unknown keys: sampling.base_url"),
        ("version: 99", "version 99"),
        ("seeds: {n: 3}", "version None"),
        ("- a\n- b", "must contain keys and values"),
        ("version: 1\nseeds: {n: many}", "'many' should be int"),
        ("version: 1\nseeds: {n: true}", "True should be int"),
        ("version: 1\nseeds: {n: -5}", "at least 1, not -5"),
        ("version: 1\nseeds: {languages: {klingon: 5}}", "Unknown language 'klingon'"),
        ("version: 1\nseeds: {sampler: random}", "Unknown sampler 'random'"),
        ("version: 1\nprompt: {text: no placeholder}", "has no {code}"),
        ("version: 1\nprompt: {template: ../../secret}", "prompt template '../../secret'"),
        ("version: 1\nprompt: {parser: eval}", "Unknown parser 'eval'"),
        ("version: 1\nsampling: {temperature: hot}", "'hot' should be"),
        ("version: 1\nsampling: {temperature: -1}", "temperature must be at least 0, not -1"),
        ("version: [1", "is not valid YAML"),
        ("version: 1\nseeds: !!python/object/apply:os.system [echo]", "is not valid YAML"),
        ("a: &a [1,1,1]\nb: &b [*a,*a]\nversion: 1", "YAML alias"),
        ("x" * 1_000_001, "characters"),
    ],
)
def test_a_strangers_file_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        RunSpec.from_yaml(text)
    assert says in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.ossi"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        RunSpec.from_file(path)


def test_a_short_file_is_enough() -> None:
    config = RunSpec.from_yaml("version: 1\nseeds: {dataset: stdlib, languages: [python], n: 5}")
    assert config.seeds.languages == (("python", None),)
    assert config.prompt.prompt == Prompt.default()


def test_the_yaml_reads_well() -> None:
    values = yaml.safe_load(RunSpec(seeds=SeedPlan(n=5)).to_yaml())
    assert list(values) == ["version", "seeds", "prompt", "sampling", "checks"]
    assert values["prompt"] == {"template": "oss_instruct", "parser": "default"}
    assert values["seeds"]["snippets_per_document"] == "auto"


def test_the_papers_sampler_alone_draws_with_the_papers_random_number() -> None:
    assert [SeedPlan(sampler=name).random_seed for name in ("magicoder", "hash", "functions")] == [976, 0, 0]
    assert SeedPlan(sampler="magicoder", rng_seed=0).random_seed == 0
    assert replace(SeedPlan(), sampler="magicoder").random_seed == 976
    assert (magicoder().seeds.max_document_bytes, magicoder().seeds.max_snippet_chars) == (0, 0)


@pytest.mark.parametrize(
    ("config", "flags", "sampler"),
    [
        ("seeds: {n: 2}", "", "functions"),
        ("seeds: {n: 2}", "--model m", "hash"),
        ("seeds: {n: 2, sampler: hash}", "--model m", "hash"),
        ("seeds: {n: 2, sampler: hash}", "--sampler functions", "functions"),
        ("seeds: {n: 2, sampler: hash}", "", None),
        ("seeds: {n: 2}", "--sampler hash", None),
        (None, "--n 2", "functions"),
        (None, "--n 2 --model m", "hash"),
    ],
)
def test_a_sampler_that_nobody_chose_suits_the_teacher(
    config: str | None, flags: str, sampler: str | None, tmp_path: Path
) -> None:
    words = ["synthesize", "--seeds", "stdlib", "--out", str(tmp_path / "out"), "--dry-run", *flags.split()]
    if config:
        (tmp_path / "c.yaml").write_text(f"version: 1\n{config}\n")
        words += ["--config", str(tmp_path / "c.yaml")]
    done = CliRunner().invoke(cli, words)
    if sampler:
        assert f"  sampler: {sampler}\n" in done.output
    else:
        assert "needs documented functions, not the sampler 'hash'" in str(done.exception)
