"""Does every name that a dataset, a file or a user gives a language lead to one row of the table?"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest

from hf_oss_instruct.code.languages import LANGUAGES, find_language, language_of_path, named
from hf_oss_instruct.errors import UsageError

PAPER = ("python", "cpp", "java", "typescript", "shell", "csharp", "rust", "php", "swift")
"""The nine languages of Magicoder, as its cleaning spells them."""


def test_the_papers_languages_have_the_papers_names() -> None:
    assert {find_language(name).name for name in PAPER} == set(PAPER)  # type: ignore[union-attr]


def test_no_spelling_and_no_suffix_belongs_to_two_languages() -> None:
    spellings = Counter(s for lang in LANGUAGES for s in {lang.name, lang.title.lower(), *lang.aliases})
    suffixes = Counter(suffix for lang in LANGUAGES for suffix in lang.suffixes)
    assert {name: n for name, n in (spellings + suffixes).items() if n > 1} == {}


def test_suffixes_and_aliases_are_written_as_they_are_looked_up() -> None:
    for lang in LANGUAGES:
        assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in lang.suffixes), lang
        assert all(alias == alias.lower() for alias in (lang.name, *lang.aliases)), lang


@pytest.mark.parametrize("lang", LANGUAGES, ids=lambda lang: lang.name)
def test_a_language_is_found_by_its_name_its_title_and_each_of_its_suffixes(lang) -> None:
    assert find_language(lang.name) is find_language(lang.title) is find_language(lang.title.upper()) is lang
    assert {language_of_path(f"src/some.file{suffix}") for suffix in lang.suffixes} == {lang}


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("C++", "cpp"),  # Linguist, The Stack v2 and v3
        ("c++", "cpp"),  # folder of The Stack v1
        ("Cpp", "cpp"),  # config of stack-edu
        ("C#", "csharp"),
        ("c-sharp", "csharp"),  # folder of The Stack v1 and starcoderdata
        ("CSharp", "csharp"),
        ("TypeScript", "typescript"),
        ("TSX", "typescript"),
        ("PHP", "php"),
        ("Shell", "shell"),
        ("JavaScript", "javascript"),
        ("Go", "go"),
        ("R", "r"),
    ],
)
def test_data_sets_spellings_are_known(spelling: str, name: str) -> None:
    assert named(spelling).name == name


@pytest.mark.parametrize("name", ["klingon", "", "HTML", "py thon"])
def test_an_unknown_name_is_refused_with_the_name_and_the_known_ones(name: str) -> None:
    assert find_language(name) is None
    with pytest.raises(UsageError) as refused:
        named(name)
    assert repr(name) in str(refused.value)
    assert all(lang.name in str(refused.value) for lang in LANGUAGES)


def test_nothing_said_is_no_language() -> None:
    assert find_language(None) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.PY", "python"),
        ("deep/er/main.R", "r"),
        (PurePosixPath("ring.h"), "c"),
        ("types.d.ts", "typescript"),
        ("Makefile", None),
        (".py", None),
        ("py", None),
        ("README.md", None),
        ("data.py/notes.txt", None),
    ],
)
def test_a_file_is_known_by_its_last_suffix_alone(path: str | PurePosixPath, name: str | None) -> None:
    found = language_of_path(path)
    assert (found.name if found else None) == name
