"""Java with JUnit 4 and 5; C# with NUnit."""

from __future__ import annotations

import re
from pathlib import Path

from tests.verification.corpus.bare.steps import NotProvableError, Step, needs, split, steps

_JARS = ":".join(
    f"/usr/share/java/{name}.jar"
    for name in (
        "junit-jupiter-api", "junit-jupiter-params", "junit-jupiter-engine", "junit-vintage-engine", "junit-platform-commons",
        "junit-platform-engine", "junit-platform-launcher", "junit-platform-reporting", "junit-platform-console", "junit4", "hamcrest-all",
        "opentest4j", "apiguardian-api", "picocli", "univocity-parsers",
    )
)  # fmt: skip
_NUNIT = "/usr/lib/cli/nunit.framework-2.6.3/nunit.framework.dll"


def java(folder: Path, solution: str, tests: str) -> list[Step]:
    framed = re.search(r"org\.junit|@Test", tests) or ("assertEquals(" in tests and "void main(" not in tests)
    if not re.search(r"\b(?:class|interface|enum|record)\s+\w+", tests):
        imports, rest = split(r"^import [^;]+;\n", tests)
        imports += split(r"^import [^;]+;\n", solution)[0]
        if framed and "import " not in tests:
            imports += "import org.junit.jupiter.api.*;\nimport static org.junit.jupiter.api.Assertions.*;\n"
        if framed and "@Test" not in rest:
            rest = f"@org.junit.jupiter.api.Test\npublic void alone() throws Exception {{\n{rest}\n}}"
        elif not framed:
            rest = f"public static void main(String[] args) throws Exception {{\n{rest}\n}}"
        tests = f"{imports}public class Alone {{\n{rest}\n}}\n"
    texts = [re.sub(r"^package [^;]+;\n", "", text, flags=re.MULTILINE) for text in (solution, tests)]
    for text in texts:
        public = re.search(r"^public (?:final |abstract )?(?:class|interface|record|enum) (\w+)", text, re.MULTILINE)
        (folder / f"{public[1] if public else 'Other' + str(len(text))}.java").write_text(text)
    if framed:
        return _junit()
    main = re.search(r"class\s+(\w+)(?:(?!\bclass\b).)*?static void main\(", tests, re.DOTALL)
    return steps(["bash", "-c", "javac *.java"], ["java", "-ea", "-cp", ".", main[1] if main else "Alone"])


def _junit() -> list[Step]:
    needs("JUnit", "/usr/share/java/junit-platform-console.jar", "junit4 junit5")
    console = [
        "org.junit.platform.console.ConsoleLauncher",
        "--scan-classpath",
        ".",
        "--include-classname",
        ".*",
        "--disable-banner",
    ]
    return [
        Step(["bash", "-c", f"javac -cp {_JARS} *.java"]),
        Step(["java", "-ea", "-cp", f".:{_JARS}", *console], says=r"[1-9]\d* tests found"),
    ]


def csharp(folder: Path, solution: str, tests: str) -> list[Step]:
    if found := re.search(r"Xunit|Microsoft\.VisualStudio", tests):
        name = "xUnit" if found[0] == "Xunit" else "MSTest"
        raise NotProvableError(f"{name}: no package of Debian, PyPI or npm")
    (using, rest), (more, body) = (split(r"^using [\w.= ]+;\n", text) for text in (solution, tests))
    heads = ["using System;\n", "using System.Diagnostics;\n", *(using + more).splitlines(keepends=True)]
    if re.search(r"\btry\s*\{[^}]*\bAssert\.", tests):
        raise NotProvableError("NUnit 3, where a failure that is caught counts: Debian has 2.6, where it does not")
    if "NUnit" in tests:
        return _nunit(folder, "".join(dict.fromkeys(heads)) + rest + body)
    if not re.search(r"\bMain\s*\(", body):
        body = f"class Alone {{ static void Main() {{\n{body}\n}} }}\n"
    (folder / "all.cs").write_text("".join(dict.fromkeys(heads)) + rest + body)
    # As a failed Debug.Assert ends .NET; Mono only writes it.
    run = "MONO_TRACE_LISTENER=Console.Error mono all.exe 2>err || exit 1; ! grep -q 'Fail:' err"
    return steps(["mcs", "-d:DEBUG", "-r:System.Numerics.dll", "-out:all.exe", "all.cs"], ["bash", "-c", run])


def _nunit(folder: Path, text: str) -> list[Step]:
    """NUnit 2.6, which is Debian's."""
    needs("NUnit", _NUNIT, "libnunit-cil-dev nunit-console")
    (folder / "all.cs").write_text(text)
    compiler = ["mcs", "-d:DEBUG", "-target:library", "-r:System.Numerics.dll", f"-r:{_NUNIT}", "-out:all.dll", "all.cs"]
    return [
        Step(compiler),
        Step(["nunit-console", "-nologo", "-noresult", "all.dll"], says=r"Tests run: [1-9]|Not run: [1-9]"),
    ]
