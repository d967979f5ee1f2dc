"""Suffixes that belong to several languages are told apart by what stands in the file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.code.detection import MAX_CHARS, RULES, of_file
from hf_oss_instruct.data import Document, Skipped
from hf_oss_instruct.seeds.resolve import open_source

C_HEADER = """/* class of service; namespace of the driver */
#ifndef RING_H
#ifdef __cplusplus
extern "C" {
namespace ring { class Buffer; }
#endif
struct ring { int size; }; // public: everybody
int ring_push(struct ring *self, int value);
#ifdef __cplusplus
}
#endif
#endif
"""
FILES = [
    ("ring.h", C_HEADER, "c"),
    ("empty.h", "", "c"),
    ("ring.h", "#pragma once\n#include <vector>\nint area(int w, int h);\n", "cpp"),
    ("ring.h", "template <typename T>\nT twice(T x);\n", "cpp"),
    ("ring.h", "class Ring {\n public:\n  int size();\n};\n", "cpp"),
    ("ring.h", "void f(const std::string& name);\n", "cpp"),
    ("Ring.h", "#import <Foundation/Foundation.h>\n@interface Ring : NSObject\n@end\n", None),
    ("ring.d", "module ring;\nimport std.stdio;\nvoid main() { writeln(1); }\n", "d"),
    ("ring.d", "int twice(int x)\n{\n    return 2 * x;\n}\n", "d"),
    ("ring.d", "unittest\n{\n    assert(1 == 1);\n}\n", "d"),
    ("main.d", "build/main.o: src/main.c src/a.h \\\n src/b.h\n", None),
    ("main.d", "main.o main.d : main.c\n", None),
    ("main.d", "main.o: main.c\n\nmain.c:\n", None),
    ("probe.d", '#pragma D option quiet\nBEGIN\n{\n  printf("x");\n}\n', None),
    ("probe.d", "syscall::read:entry\n{\n  @[execname] = count();\n}\n", None),
    ("sum.pl", "use strict;\nmy $x = 1;\nprint $x;\n", "perl"),
    ("sum.pl", "#!/usr/bin/perl -w\nprint 1;\n", "perl"),
    ("table.pl", "return <<'END';\n0041 005A\nEND\n", "perl"),
    ("family.pl", "parent(anna, ben).\ngrand(X, Z) :- parent(X, Y), parent(Y, Z).\n", None),
    ("facts.pl", "likes(mary, wine).\nlikes(john, X).\n", None),
    ("rules.pl", ":- module(lists, [last/2]).\n", None),
    ("sum.pl", "use v6;\nsay 1 + 1;\n", None),
    ("Sum.pm", "package Sum;\nsub add { return $_[0] + $_[1] }\n1;\n", "perl"),
    ("icon.pm", "/* XPM */\nstatic char *icon[] = {};\n", None),
    ("app.ts", "export const half = (x: number): number => x / 2;\n", "typescript"),
    ("app_de.ts", '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n<TS version="2.1"></TS>\n', None),
    ("app_de.ts", "<!DOCTYPE TS><TS><context></context></TS>\n", None),
    ("tiles.tsx", '<?xml version="1.0"?>\n<tileset name="a"></tileset>\n', None),
    ("app.tsx", "export const App = () => <div>hi</div>;\n", "typescript"),
    ("ring.rs", "pub fn twice(x: i32) -> i32 { 2 * x }\n", "rust"),
    ("ring.rs", "#pragma version(1)\n#pragma rs java_package_name(com.example)\n", None),
    ("Ring.cs", "class Ring { int Size => 3; }\n", "csharp"),
    ("Ring.cs", "!Ring methodsFor: 'size'!\nsize\n    ^3! !\n", None),
    ("ring.ml", "let rec sum = function [] -> 0 | x :: rest -> x + sum rest\n", "ocaml"),
    ("ring.ml", "fun sum [] = 0\n  | sum (x :: rest) = x + sum rest\n", None),
    ("ring.ex", "defmodule Ring do\n  def size, do: 3\nend\n", "elixir"),
    ("ring.ex", 'procedure main()\n  puts(1, "x")\nend procedure\n', None),
    ("plot.R", "x <- c(1, 2)\nplot(x)\n", "r"),
    ("page.r", 'REBOL [Title: "Page"]\nprint now\n', None),
    ("page.php", "<?php echo 1;\n", "php"),
    ("page.php", '<?xml version="1.0"?>\n<?php echo 1;\n', "php"),
    ("page.php", "<?hh\nfunction f(): int { return 1; }\n", None),
    ("a.py", "<?xml version='1.0'?>\n", "python"),  # a suffix that is one language's alone
]


@pytest.mark.parametrize(("name", "text", "lang"), FILES, ids=[f"{name}-{lang}-{n}" for n, (name, _, lang) in enumerate(FILES)])
def test_the_language_is_told_by_the_content(name: str, text: str, lang: str | None) -> None:
    for written in (text, text.replace("\n", "\r\n")):
        found = of_file(name, written)
        assert (found.name if found else None) == lang


@given(st.sampled_from(sorted(RULES)), st.text(alphabet=" \n\t:.a(){};\\@#$<-=", max_size=300), st.integers(1, 3000))
def test_any_content_is_told_in_no_time(suffix: str, text: str, times: int) -> None:
    before = time.process_time()
    of_file(f"a{suffix}", (text * times)[:MAX_CHARS])
    assert time.process_time() - before < 5  # a pattern that backtracks takes minutes


def test_a_folder_gives_each_file_in_its_own_language_and_counts_the_others(tmp_path: Path) -> None:
    for number, (name, text, _) in enumerate(FILES):
        (tmp_path / f"{number:02}").mkdir()
        (tmp_path / f"{number:02}" / name).write_text(text)
    source = open_source(str(tmp_path))
    items = list(source.documents(None, 0))
    assert len([item for item in items if item == Skipped("other_language")]) == sum(lang is None for *_, lang in FILES)
    languages = {(item.origin.row_id[3:], item.origin.lang) for item in items if isinstance(item, Document)}
    assert languages == {(name, lang) for name, _, lang in FILES if lang}
    cpp = [item for item in source.documents(("cpp",), None) if isinstance(item, Document)]
    assert [item.origin.raw_index for item in cpp] == list(range(4))


def test_a_row_that_has_a_path_alone_is_told_by_its_content_too(tmp_path: Path) -> None:
    import json

    rows = "".join(json.dumps({"content": text, "path": name}) + "\n" for name, text, _ in FILES)
    (tmp_path / "a.jsonl").write_text(rows)
    items = list(open_source(str(tmp_path)).documents(None, None))
    assert [item.origin.lang if isinstance(item, Document) else None for item in items] == [lang for *_, lang in FILES]
