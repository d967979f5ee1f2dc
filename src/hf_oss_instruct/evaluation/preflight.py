"""Check whether a language can be judged on this machine, before its first sample: a missing tool must not fail a sample."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from hf_oss_instruct.code.toolchains import find_executable, toolchain
from hf_oss_instruct.errors import ToolchainMissingError, UsageError
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.terminal.display import one_line

PROBES = {
    "c": "#include <assert.h>\nint main(void) {\n    assert(1);\n}\n",
    "cpp": "#include <assert.h>\n#include <bits/stdc++.h>\nint main() {\n    assert(true);\n}\n",
    "csharp": (
        "using System;\nusing System.Numerics;\nusing System.Diagnostics;\nusing System.Linq;\nclass Problem {\n"
        "    public static void Main(string[] args) {\n    Debug.Assert(true);\n    }\n}\n"
    ),
    "d": "unittest {\n    assert(1 == 1);\n}\nvoid main(){}\n",
    "go": 'package a_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\nfunc TestIt(t *testing.T) {\n    fmt.Print()\n}\n',
    "java": "import java.util.*;\nclass Main {\n    public static void main(String[] args) {\n    }\n}\n",
    "javascript": "const assert = require('node:assert');\nassert.deepEqual(1, 1);\n",
    "lua": "lu = require('luaunit')\n\nfunction test_it()\n    lu.assertEquals(1, 1)\nend\n\nos.exit(lu.LuaUnit.run())",
    "perl": "use Test::Deep;\n",
    "php": "<?php\nif (1 !== 1) { throw new Exception(); }\n",
    "r": "stopifnot(isTRUE(all.equal(1, 1)))\n",
    "racket": "#lang racket\n(require rackunit)\n(check-within 1 1 0.001)\n",
    "ruby": "require 'test/unit'\nclass TestIt < Test::Unit::TestCase\n  def test_it\n    assert_equal(1, 1)\n  end\nend\n",
    "rust": "fn main() {\n    assert_eq!(1, 1);\n}\n",
    "shell": "set -e\n[[ $(echo 1 | bc) = 1 ]]\n",
    "typescript": "declare var require: any;\nconst assert = require('node:assert');\nassert.deepEqual(1, 1);\n",
}
"""Language → a program that uses the same libraries as its tests, and passes if they are installed."""


# The key of every verdict needs it.
@functools.cache
def toolchain_of(language: str) -> str:
    """Identify the toolchain of a language by its commands and the path, size and mtime of the executables.

    Raises:
        ToolchainMissingError: it is not installed.
        UsageError: the language is not supported.
    """
    if language == "python":
        return f"python {platform.python_version()}"
    row = toolchain(language)
    paths = [Path(path) for name in row.needs if (path := find_executable(name))]
    tools = [f"{path.resolve()} {(stat := path.stat()).st_size} {stat.st_mtime_ns}" for path in paths]
    return "; ".join([str(row.compile), str(row.run), *tools])


@functools.cache
def why_unavailable(language: str, tier: str | None = None) -> str | None:
    """Explain why programs of a language cannot be judged here, and how to install missing tools; None if they can.

    Args:
        language: its name in `languages.LANGUAGES`.
        tier: name of a sandbox tier, see `sandbox.run.run_program`.
    """
    if language == "python":
        return None
    try:
        toolchain_of(language)
        row = toolchain(language)
    except (ToolchainMissingError, UsageError) as error:
        return str(error)
    if language not in PROBES:
        return f"Programs in {language!r} cannot be graded: how its tests report a failure is not known."
    # Generous: a slow first start of a compiler must not count as a missing tool.
    limits = Limits(cpu_s=30.0, wall_s=120.0, memory_mib=4096)
    probed = judge_program(PROBES[language], "", language, limits, tier=tier)
    if probed.status in ("passed", "sandbox_error", "timeout"):  # the last two do not mean that something is missing
        return None
    output = probed.execution.stderr if probed.execution else probed.detail
    line = one_line(output, 200)
    return f"A correct program in {language} does not run here: {line}. If something is missing, install it with: {row.install}"
