"""Compilers begin with what was built once, and no verdict depends on it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hf_oss_instruct.code.toolchains import TOOLCHAINS
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.prebuilt import Prebuilt, _header_counts, java_classes, prebuilt
from hf_oss_instruct.sandbox.run import run_program

from .conftest import without_folder
from .judging.test_sentinel import needs_toolchain

EVERYTHING = (
    "#include<assert.h>\n#include<bits/stdc++.h>\nint main() { std::map<int, int> m; std::cout << m.size(); return 3; }\n"
)
JAVA = 'class Main { public static void main(String[] a) { System.out.print("0"); System.exit(3); } }'


def prebuilt_for(language: str, source: str) -> Prebuilt:
    needs_toolchain(language)
    found = prebuilt(language, source)
    assert found is not None
    return found


def compiler_says(language: str, source: str, suffix: str, *options: str, folder: Path) -> str:
    given = prebuilt_for(language, source)
    file = folder / f"Main.{suffix}"
    file.write_text(source)
    words = [word.replace("{prebuilt}", given.folder) for word in given.options]
    compile = TOOLCHAINS[language].compile or ()
    command = [compile[0], *words, *(word for word in compile[1:] if word.startswith(("-std", "-J", "-proc"))), *options]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout + done.stderr


@pytest.mark.parametrize("tier", [tier.name for tier in available_tiers()])
@pytest.mark.parametrize(("language", "source"), [("cpp", EVERYTHING), ("java", JAVA)])
def test_a_program_runs_as_from_scratch(language: str, source: str, tier: str) -> None:
    prebuilt_for(language, source)
    ran = run_program(source, language, tier=tier)
    assert (ran.status, ran.stdout, ran.exit_code) == ("failed", "0", 3), ran


def test_the_compilers_use_it(tmp_path: Path) -> None:
    assert "! " in compiler_says("cpp", EVERYTHING, "cpp", "-H", "-fsyntax-only", folder=tmp_path)
    loaded = compiler_says("java", JAVA, "java", "-J-Xlog:class+load", "-d", str(tmp_path), folder=tmp_path)
    assert "com.sun.tools.javac.comp.Attr source: shared objects file (top)" in loaded


def test_what_a_program_says_before_the_header_is_not_passed_over() -> None:
    needs_toolchain("cpp")
    for before in ("#define _GLIBCXX_DEBUG 1\n", "int x;\n", '#include "mine.h"\n', "/* #include <bits/stdc++.h> */\n#if 0\n"):
        assert prebuilt("cpp", before + EVERYTHING) is None, before
    assert prebuilt("cpp", "// ours\n/* and\nmore */\n" + EVERYTHING) is not None
    assert prebuilt("rust", "fn main() {}") is None


SOME = """// sums
#include <iostream>
#include <map> // for m
int main() { std::map<int, int> m; std::cout << m.size(); return 3; }
"""
OTHERS = ("#define NDEBUG\n", "int x;\n", "#pragma GCC optimize(3)\n", "/*\n*/ #if 0\n", "// goes on \\\n", "#include <x.h>;\n")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    _header_counts.clear()
    return tmp_path


def test_headers_that_two_programs_begin_with_are_precompiled(own_cache: Path) -> None:
    needs_toolchain("cpp")
    assert prebuilt("cpp", SOME) is None
    assert prebuilt_for("cpp", SOME).confirm_errors
    assert "! " in compiler_says("cpp", SOME, "cpp", "-H", "-fsyntax-only", folder=own_cache)
    more = SOME.replace("<map>", "<map>\n#include <vector>\n#include <string>")
    assert prebuilt_for("cpp", more).options == prebuilt_for("cpp", SOME).options  # a part of its headers
    assert prebuilt("cpp", SOME.replace("#include <map>", "")) is None  # what it forgot to include stays missing
    for before in OTHERS:
        assert prebuilt("cpp", before + SOME) is None, before
    commented = prebuilt_for("cpp", "/* #include <map>\n*/\n#include <iostream>\nint main() {}\n")
    assert commented.options == ("-include", "{prebuilt}/iostream/everything.h")


@pytest.mark.parametrize("tier", [tier.name for tier in available_tiers()])
@pytest.mark.usefixtures("own_cache")
def test_a_program_with_precompiled_headers_runs_as_from_scratch(tier: str) -> None:
    needs_toolchain("cpp")
    broken = SOME.replace("return 3", "std::vector<int> v; return 3")
    for _ in range(3):  # from scratch, then with the headers
        ran = run_program(SOME, "cpp", tier=tier)
        assert (ran.status, ran.stdout, ran.exit_code) == ("failed", "0", 3), ran
        assert run_program(broken, "cpp", tier=tier).status == "compile_error"
    assert prebuilt("cpp", SOME) is not None


def test_only_so_many_sets_of_headers_are_kept(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_toolchain("cpp")
    monkeypatch.setattr("hf_oss_instruct.sandbox.prebuilt.HEADER_SETS", 1)
    for source in (SOME, SOME, SOME.replace("map", "string"), SOME.replace("map", "string")):
        found = prebuilt("cpp", source)
    assert found is None
    assert len(list(own_cache.glob("home/oss-instruct/prebuilt/*/*"))) == 1


@pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
def test_a_compile_error_is_the_compilers_own() -> None:
    broken = EVERYTHING.replace("return 3", "return nothing")
    given = prebuilt_for("cpp", broken)
    with_it = run_program(broken, "cpp")
    from_scratch = run_program("int scratch;\n" + broken, "cpp")
    assert with_it.status == from_scratch.status == "compile_error"
    expected = without_folder(from_scratch.stderr).replace("program.cpp:4:", "program.cpp:3:").replace("    4 |", "    3 |")
    assert without_folder(with_it.stderr) == expected
    assert given.confirm_errors


@pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
def test_no_program_changes_it_for_the_next() -> None:
    given = prebuilt_for("cpp", EVERYTHING)
    before = {file.name: (file.stat().st_size, file.stat().st_mtime_ns) for file in Path(given.folder).iterdir()}
    hostile = EVERYTHING.replace(
        "int main() {",
        "int main() {\n"
        f'    for (std::string top : {{"/host", ""}}) std::ofstream(top + "{given.folder}/everything.h") << "#error poisoned";\n',
    )
    assert run_program(hostile, "cpp").exit_code == 3
    assert {file.name: (file.stat().st_size, file.stat().st_mtime_ns) for file in Path(given.folder).iterdir()} == before
    assert run_program(EVERYTHING, "cpp").stdout == "0"


def test_where_it_cannot_be_made_programs_are_compiled_from_scratch_and_a_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_toolchain("java")
    (tmp_path / "oss-instruct").write_text("no folder")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="java are compiled from scratch"):
        assert prebuilt("java", JAVA) is None
    with pytest.warns(RuntimeWarning, match="java are compiled from scratch"):
        assert java_classes("class Helper {}") == {}


def test_programs_use_class_files_that_were_compiled_once() -> None:
    needs_toolchain("java")
    classes = java_classes('class Helper { static class Word { } static String word() { return "a" + new Word().hashCode(); } }')
    assert list(classes) == ["Helper$Word.class", "Helper.class"]
    program = "class Main { public static void main(String[] a) { System.out.print(Helper.word().charAt(0)); } }"
    assert run_program(program, "java", files=classes).stdout == "a"
