"""The house itself: what importing costs, what is public, what is documented, what the examples and configs do."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import hf_oss_instruct
from hf_oss_instruct.cli import cli
from hf_oss_instruct.spec.run import RunSpec

from .support.warm import TRAIN

ROOT = Path(__file__).parents[1]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_help_answers_without_heavy_libraries() -> None:
    code = (
        "import sys; sys.argv = ['hf-oss-instruct', 'synthesize', '--help']\n"
        "from hf_oss_instruct.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([name for name in ('datasets', 'torch', 'transformers', 'pyarrow', 'huggingface_hub') if name in sys.modules])"
    )
    assert python(code).endswith("\n[]")


def test_importing_the_package_imports_no_host() -> None:
    hosts = "[n for n in ('datasets', 'torch', 'pyarrow', 'huggingface_hub', 'httpx') if n in sys.modules]"
    assert python(f"import sys, hf_oss_instruct; print({hosts})") == "[]"


def test_a_command_over_tables_does_without_pandas_which_stays_there_for_others(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"problem": "Add two numbers.", "solution": "a + b"}\n')
    words = ["curate", str(tmp_path / "rows.jsonl"), "--benchmarks", "none", "--out", str(tmp_path / "out"), "--format", "quiet"]
    code = (
        "import sys\nfrom hf_oss_instruct.cli import cli\n"
        f"cli.main({words}, standalone_mode=False)\n"
        "import pyarrow as pa\nprint(pa.default_memory_pool().backend_name, 'pandas' in sys.modules)\n"
        "table = pa.Table.from_pylist([{'n': 1}]).to_pandas()\nprint(table['n'].sum(), pa.array(table['n']).to_pylist())"
    )
    assert python(code).splitlines() == ["system False", "1 [1]"]


def test_a_server_is_asked_without_huggingface_hub() -> None:
    code = (
        "import sys\nfrom hf_oss_instruct.teachers.inference import InferenceTeacher\n"
        "InferenceTeacher('m', 'http://127.0.0.1:9/v1')\nprint('huggingface_hub' in sys.modules)"
    )
    assert python(code) == "False"


def test_public_names_are_few_sorted_there_and_documented() -> None:
    names = hf_oss_instruct.__all__
    assert names == sorted(names)
    assert set(names) == set(hf_oss_instruct._HOMES)
    for name in names:
        assert getattr(hf_oss_instruct, name).__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        hf_oss_instruct.no_such_name  # noqa: B018


def test_the_core_stays_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = " ".join(project["dependencies"])
    for heavy in ("torch", "transformers", "trl", "lighteval"):
        assert heavy not in core


def test_every_command_is_in_the_readme_and_helps() -> None:
    readme = (ROOT / "README.md").read_text()
    for name, command in cli.commands.items():
        assert name in readme + (ROOT / "CHANGELOG.md").read_text()
        assert command.help, name
        for option in command.params:
            if option.param_type_name == "option":
                assert getattr(option, "help", None), f"{name} {option.name}"


def test_an_option_that_several_commands_declare_has_one_text() -> None:
    options = [option for command in cli.commands.values() for option in command.params if "--unsafe-no-sandbox" in option.opts]
    assert len(options) > 2
    assert len({getattr(option, "help", None) for option in options}) == 1


def test_summaries_of_commands_fit_and_options_list_only_options() -> None:
    from click.testing import CliRunner

    assert "..." not in CliRunner().invoke(cli, ["--help"], terminal_width=80).output.partition("Commands:")[2]
    for name in ("verify", "evolve", "judge", "launch", "run-shard"):
        options = CliRunner().invoke(cli, [name, "--help"]).output.partition("Options:\n")[2]
        assert options.lstrip().startswith("-"), name


def test_examples_in_help_stand_on_lines_of_their_own() -> None:
    from click.testing import CliRunner

    for name in ([], *([verb] for verb in ("synthesize", "publish", "curate", "score", "evaluate", "train", "recipe"))):
        done = CliRunner().invoke(cli, [*name, "--help"])
        said = done.output
        assert done.exit_code == 0, said
        assert "\\b" not in said
        assert any(line.strip().split(":  ")[-1].strip().startswith("hf-oss-instruct ") for line in said.splitlines()), name


STORY = "code_to_model.py"
"""It needs a teacher and a Hub: `test_story.py` runs it."""
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.name != STORY)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_run_and_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40
    done = TRAIN.run([path], cwd=ROOT, check=True)  # a stream of `datasets` imports torch
    assert "Write the Python function" in done.stdout or "step 6: " in done.stdout


def test_the_training_example_goes_on_where_it_was(tmp_path: Path) -> None:
    words = [ROOT / "examples" / "resume_training.py", tmp_path / "checkpoint.json"]
    steps = [line for _ in range(2) for line in TRAIN.run(words, check=True).stdout.splitlines()]
    assert [line.split(":")[0] for line in steps] == [f"step {number}" for number in range(1, 13)]
    assert len({line.split(": ")[1] for line in steps}) == 12


@pytest.mark.parametrize("path", sorted((ROOT / "dataset_scripts").rglob("*.ossi")), ids=lambda path: path.name)
def test_shipped_run_configs_are_valid(path: Path) -> None:
    assert RunSpec.from_file(path).seeds.requested


def test_files_answer_one_question_and_say_which() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        if path.read_text().strip():
            assert ast.get_docstring(ast.parse(path.read_text())), path


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_exception_is_called_an_error() -> None:
    exceptions = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
    for where, node in classes():
        bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        if bases & exceptions or any(base.endswith(("Error", "Exception")) for base in bases):
            assert node.name.endswith("Error"), f"{where}: {node.name}"


def test_a_public_class_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for where, node in classes():
        homes.setdefault(node.name, []).append(where)
    assert {name: found for name, found in homes.items() if len(found) > 1 and not name.startswith("_")} == {}


def test_no_test_module_imports_what_takes_seconds() -> None:
    heavy = {
        "torch",
        "transformers",
        "trl",
        "peft",
        "accelerate",
        "lighteval",
        "inspect_ai",
        "litellm",
        "sklearn",
        "scipy",
        "ray",
    }
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name == "conftest.py" or path.name.startswith("test_"):
            for node in ast.parse(path.read_text()).body:
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                found = heavy & {module.partition(".")[0] for module in modules}
                assert not found, f"{path}:{node.lineno}: every worker would import {found}; import it in the tests that need it"
