import ast
import heapq
import inspect
import json.decoder
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.code import languages
from hf_oss_instruct.code.documented import DocumentedFunction, documented_functions
from hf_oss_instruct.code.syntax import MINED_LANGUAGES
from hf_oss_instruct.errors import UsageError

# One small source per language: a free function, a method, and some that must not be listed.
SOURCES = {
    "python": '''\
import re


@cache
def parse(text: str,
          strict: bool = False) -> list[str]:
    r"""Split a text at "\\d".

        an indented example
    the end
    """

    # digits are borders
    return re.split(r"\\d", text)


class Stack:
    """A stack."""

    def push(self, item):
        """Put an item on top."""
        self.items += """
raw text at column 0
"""
        def undo():
            """Not listed: inside another function."""
            return item

    def pop(self):
        """Not listed: no body."""
        ...

    def peek(self): return self.items[-1]
''',
    "javascript": """\
/**
 * Splits a text.
 *
 * @param {string} text
 */
export async function parse(text) {
  return text.split(",");
}

// Adds one.
const increment = (x) => {
  const twice = function () { return 2 * x; };
  return x + 1;
};

class Stack {
  /* Puts an item
     on top. */
  push(item) {
    this.items.push(item);
  }

  // Shorthand.
  static of = (...items) => new Stack(items);
}
""",
    "typescript": """\
/** Splits a text. */
export function parse(text: string): string[];
export function parse(text: string): string[] {
  return text.split(",");
}

export abstract class Stack<T> {
  /** Puts an item on top. */
  @logged()
  public push(item: T): void {
    this.items.push(item);
  }

  /** Not listed: no body. */
  abstract pop(): T;
}

namespace Tools {
  // Adds one.
  export const increment = (x: number): number => x + 1;
}
""",
    "java": """\
class Stack<T> {
    /**
     * Puts an item on top.
     * @param item the item
     */
    @Override
    @SuppressWarnings("unchecked")
    public void push(T item)
            throws IOException {
        items.add(item);
    }

    // Not listed: no body.
    abstract T pop();
}
""",
    "c": """\
#ifndef STACK_H
#define STACK_H  // not a documentation

/* Not listed: no body. */
int push(int item);

/*
** Puts an item on top.
*/
__attribute__((noinline))
static char **push(int item)
{
    return items;
}

#endif
""",
    "cpp": """\
namespace tools {

// The larger
//   of two.
template <typename T>
T larger(const T& a, const T& b) {
  return a < b ? b : a;
}

class Stack {
 public:
  /// Not listed: a constructor.
  Stack() {}

  /// Whether both are equal.
  [[nodiscard]] bool operator==(const Stack& other) const { return true; }

  /// Not listed: no body.
  Stack& operator=(const Stack&) = default;
};

//! Puts an item on top.
int& Stack<int>::push(int item) {
  return items[item];
}

}  // namespace tools
""",
    "go": """\
package tools

// Parse splits a text.
//
//	Parse("a,b")
func Parse(text string) []string {
\treturn strings.Split(text, ",")
}

// Push puts an item on top.
func (s *Stack[T]) Push(item T) {
\ts.items = append(s.items, item)
}
""",
    "rust": """\
//! Not listed: documents the module.

/// Splits a text.
///
/// ```
/// parse("a,b");
/// ```
#[inline]
#[must_use]
pub fn parse(text: &str) -> Vec<&str> {
    text.split(',').collect()
}

impl<T> tools::Stack<T> for Other {
    /** Puts an item on top. */
    pub fn push(&mut self, item: T)
    where
        T: Clone,
    {
        self.items.push(item);
    }
}

trait Pop {
    /// Not listed: no body.
    fn pop(&mut self) -> Option<u8>;
}
""",
    "csharp": """\
namespace Tools
{
    class Stack<T>
    {
        /// <summary>
        /// Puts an item on top, if &lt; <see cref="Max"/>.
        /// </summary>
        /// <param name="item">The item.</param>
        [Obsolete]
        public void Push(T item)
        {
            // Not listed: inside another function.
            int Local() { return 1; }
        }

        // Makes a List<T>.
        public List<T> Copy() => new(items);
    }
}
""",
    "php": """\
<?php
# Splits a text.
function parse(string $text): array {
    return explode(",", $text);
}

class Stack {
    /**
     * Puts an item on top.
     */
    #[Pure]
    public function push($item) {
        $this->items[] = $item;
    }
}
""",
}

EXPECTED = {
    "python": [
        (
            "parse",
            None,
            'Split a text at "\\d".\n\n    an indented example\nthe end',
            "def parse(text: str,\n          strict: bool = False) -> list[str]:",
            4,
            14,
        ),
        ("push", "Stack", "Put an item on top.", "def push(self, item):", 20, 27),
    ],
    "javascript": [
        ("parse", None, "Splits a text.\n\n@param {string} text", "export async function parse(text)", 1, 8),
        ("increment", None, "Adds one.", "const increment = (x) =>", 10, 14),
        ("push", "Stack", "Puts an item\non top.", "push(item)", 17, 21),
        ("of", "Stack", "Shorthand.", "static of = (...items) =>", 23, 24),
    ],
    "typescript": [
        ("push", "Stack", "Puts an item on top.", "public push(item: T): void", 8, 12),
        ("increment", None, "Adds one.", "export const increment = (x: number): number =>", 19, 20),
    ],
    "java": [
        (
            "push",
            "Stack",
            "Puts an item on top.\n@param item the item",
            "public void push(T item)\n        throws IOException",
            2,
            11,
        )
    ],
    "c": [("push", None, "Puts an item on top.", "static char **push(int item)", 7, 14)],
    "cpp": [
        ("larger", None, "The larger\n  of two.", "template <typename T>\nT larger(const T& a, const T& b)", 3, 8),
        ("operator==", "Stack", "Whether both are equal.", "bool operator==(const Stack& other) const", 15, 16),
        ("push", "Stack", "Puts an item on top.", "int& Stack<int>::push(int item)", 22, 25),
    ],
    "go": [
        ("Parse", None, 'Parse splits a text.\n\n        Parse("a,b")', "func Parse(text string) []string", 3, 8),
        ("Push", "Stack", "Push puts an item on top.", "func (s *Stack[T]) Push(item T)", 10, 13),
    ],
    "rust": [
        ("parse", None, 'Splits a text.\n\n```\nparse("a,b");\n```', "pub fn parse(text: &str) -> Vec<&str>", 3, 12),
        (
            "push",
            "Other",
            "Puts an item on top.",
            "pub fn push(&mut self, item: T)\nwhere\n    T: Clone,",
            15,
            21,
        ),
    ],
    "csharp": [
        ("Push", "Stack", "Puts an item on top, if < Max.\n\nThe item.", "public void Push(T item)", 5, 14),
        ("Copy", "Stack", "Makes a List<T>.", "public List<T> Copy()", 16, 17),
    ],
    "php": [
        ("parse", None, "Splits a text.", "function parse(string $text): array", 2, 5),
        ("push", "Stack", "Puts an item on top.", "public function push($item)", 8, 14),
    ],
}


def names(content: str, lang: str) -> list[str]:
    return [function.name for function in documented_functions(content, lang)]


def facts(function: DocumentedFunction) -> tuple[str, str | None, str, str, int, int]:
    return (
        function.name,
        function.owner,
        function.documentation,
        function.signature,
        function.start_line,
        function.end_line,
    )


@pytest.mark.parametrize("lang", sorted(MINED_LANGUAGES))
def test_the_documented_functions_of_a_source(lang):
    assert [facts(function) for function in documented_functions(SOURCES[lang], lang)] == EXPECTED[lang]


def test_every_mined_language_is_a_known_language():
    assert {languages.named(lang).name for lang in MINED_LANGUAGES} == set(SOURCES)


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match=r"'cobol'.*c, cpp, csharp, go, java"):
        documented_functions("", "cobol")


def test_importing_the_module_loads_no_grammar():
    program = "import sys, hf_oss_instruct.code.documented; print([m for m in sys.modules if m.startswith('tree_sitter')])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


def test_python_code_comes_without_its_docstring_and_its_indentation():
    parse, push = documented_functions(SOURCES["python"], "python")
    assert parse.code == textwrap.dedent("""\
        @cache
        def parse(text: str,
                  strict: bool = False) -> list[str]:
            # digits are borders
            return re.split(r"\\d", text)""")
    # The text block reaches column 0, so textwrap.dedent would leave the method indented, which is no program.
    assert push.code.startswith('def push(self, item):\n    self.items += """\nraw text at column 0\n"""\n    def undo():')
    ast.parse(push.code)


@pytest.mark.parametrize(
    ("lang", "place", "code"),
    [
        ("typescript", 0, "@logged()\npublic push(item: T): void {\n  this.items.push(item);\n}"),
        (
            "java",
            0,
            '@Override\n@SuppressWarnings("unchecked")\npublic void push(T item)\n        throws IOException {\n'
            "    items.add(item);\n}",
        ),
        ("c", 0, "__attribute__((noinline))\nstatic char **push(int item)\n{\n    return items;\n}"),
        ("cpp", 0, "template <typename T>\nT larger(const T& a, const T& b) {\n  return a < b ? b : a;\n}"),
        (
            "rust",
            0,
            "#[inline]\n#[must_use]\npub fn parse(text: &str) -> Vec<&str> {\n    text.split(',').collect()\n}",
        ),
        ("php", 1, "#[Pure]\npublic function push($item) {\n    $this->items[] = $item;\n}"),
    ],
)
def test_code_keeps_what_wraps_it(lang, place, code):
    assert documented_functions(SOURCES[lang], lang)[place].code == code


@pytest.mark.parametrize("lang", sorted(MINED_LANGUAGES))
def test_line_ends_of_windows_change_nothing(lang):
    source = SOURCES[lang]
    assert documented_functions(source.replace("\n", "\r\n"), lang) == documented_functions(source, lang)


def test_columns_count_characters_not_bytes():
    (found,) = documented_functions("# Größe\nx = '€€€'\n\ndef größe(ä):\n\t'''Maß: 长度'''\n\treturn 'é'\n", "python")
    assert (found.name, found.documentation, found.code) == ("größe", "Maß: 长度", "def größe(ä):\n\treturn 'é'")


def test_a_byte_order_mark_is_not_code():
    assert names("\ufeff// Adds one.\nint add(int x) { return x + 1; }\n", "c") == ["add"]


@pytest.mark.parametrize("lang", sorted(MINED_LANGUAGES))
def test_an_empty_source_holds_no_function(lang):
    assert documented_functions("", lang) == []


@pytest.mark.parametrize(
    "docstring", ["'one'", '"one"', '"""one"""', "r'''\n    one\n    '''", "'o' 'ne'", "'\\x6fne'", "u'one'"]
)
def test_a_docstring_may_have_any_quotes(docstring):
    (found,) = documented_functions(f"def f():\n    {docstring}\n    return 1\n", "python")
    assert (found.documentation, found.code) == ("one", "def f():\n    return 1")


@pytest.mark.parametrize(
    "body",
    [
        'f"""one"""\n    return 1',
        'b"""one"""\n    return 1',
        '"""..."""\n    return 1',
        '"one" % 2\n    return 1',
        '"\\N{no such}"\n    return 1',
        "# one\n    return 1",
        '"""one"""',
        '"""one"""\n    pass',
        '"""one"""\n    ...  # later',
    ],
)
def test_python_functions_without_docstring_or_body_are_left_out(body):
    assert names(f"def f():\n    {body}\n", "python") == []


def test_an_invalid_escape_in_a_docstring_warns_nobody(recwarn):
    assert names('def f():\n    "a \\d"\n    return 1\n', "python") == ["f"]
    assert not recwarn.list


@pytest.mark.parametrize(
    "comment",
    [
        "int y; // of something else\n",
        "// too far away\n\n",
        "// -----------\n",
        "/* ======== */\n",
        "/***********/\n",
        "//\n//\n",
        "// ---- helpers ----\n",
        "// Copyright (c) 2020 Somebody\n// All rights reserved.\n",
        "/* on the same line */ ",
        "",
    ],
)
def test_comments_that_document_nothing(comment):
    assert names(f"{comment}int f(void) {{ return 1; }}\n", "c") == []


def test_rulers_around_a_comment_are_no_part_of_it():
    source = "//===-----===//\n// Adds one.\n//===-----===//\nint add(int x) { return x + 1; }  // trailing\n"
    (found,) = documented_functions(source, "c")
    assert (found.documentation, found.start_line, found.end_line) == ("Adds one.", 1, 4)


def test_a_function_with_a_syntax_error_is_left_out_and_its_neighbours_stay():
    functions = ["one() { return 1; }", "two() { return ) 2; }", "three() { return 3; }"]
    source = "\n".join(f"// Counts.\nint {function}\n" for function in functions)
    assert names(source, "c") == ["one", "three"]


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("c", "// Two on a line.\nint f() { return 1; } int g() { return 2; }\n"),
        ("javascript", "// Two in one.\nconst f = () => 1, g = () => 2;\n"),
        ("javascript", "// Nameless.\nexport default function () { return 1; }\n"),
        ("javascript", "call(function () {\n  // Inside.\n  function f() { return 1; }\n});\n"),
        ("javascript", "export default {\n  // Of nothing that has a name.\n  f() { return 1; }\n};\n"),
        ("python", 'def f(): "On the line of the head."; return 1\n'),
        ("c", "// A macro.\nTEST(stack, push) { return; }\n"),
        ("java", "class A {\n  A() {\n    new B() {\n      // Inside.\n      void f() { g(); }\n    };\n  }\n}\n"),
    ],
)
def test_oddities_are_left_out(lang, source):
    assert names(source, lang) == []


def test_typescript_with_markup_is_understood():
    assert names("// A cell.\nexport const Cell = (p: Props) => {\n  return <td>{p.text}</td>;\n};\n", "typescript") == ["Cell"]
    assert names("// A cast.\nfunction cast(x: any) {\n  return <string>x;\n}\n", "typescript") == ["cast"]


@pytest.mark.parametrize("lang", sorted(MINED_LANGUAGES))
@pytest.mark.parametrize(
    ("left", "right"), [("(", ")"), ("{\n", "}\n"), ("if (x) {\n", "}\n"), ("[", ""), ("class A {\n", "}\n")]
)
def test_deep_nesting_is_no_trouble(lang, left, right):
    documented_functions(SOURCES[lang] + "x = " + left * 5_000 + "1" + right * 5_000, lang)


lines = st.sampled_from(sorted({line for source in SOURCES.values() for line in source.splitlines(keepends=True)}))
texts = st.text(st.characters(), max_size=60)


@pytest.mark.parametrize("lang", sorted(MINED_LANGUAGES))
@given(data=st.data())
def test_no_text_makes_it_raise_and_lines_never_overlap(lang, data):
    own = st.sampled_from(SOURCES[lang].splitlines(keepends=True))
    content = "".join(data.draw(st.lists(own | lines | texts, max_size=25)))
    rows = content.replace("\r\n", "\n").encode(errors="replace").decode().split("\n")
    previous_end = 0
    for found in documented_functions(content, lang):
        assert previous_end < found.start_line <= found.end_line <= len(rows)
        previous_end = found.end_line
        assert all([found.name, found.documentation, found.signature])
        assert any(found.code.split("\n")[0] in row for row in rows[found.start_line - 1 : found.end_line])


@pytest.mark.parametrize("module", [json.decoder, textwrap, heapq])
def test_ast_and_we_agree_about_the_standard_library(module):
    source = inspect.getsource(module)
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    documented = {node.name: ast.get_docstring(node) for node in functions if ast.get_docstring(node)}
    found = {function.name: function for function in documented_functions(source, "python") if function.owner is None}
    assert {name: function.documentation for name, function in found.items()} == documented != {}
    for function in found.values():
        ast.parse(function.code)
