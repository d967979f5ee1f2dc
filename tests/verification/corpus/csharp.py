from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """using System;
using System.Collections.Generic;
using System.Linq;

namespace Bounds
{
    public static class Numbers
    {
        public static int Clamp(int x, int low = 0, int high = 10)
        {
            if (low > high)
            {
                throw new ArgumentException("low > high");
            }
            if (x < low)
            {
                return low;
            }
            if (x > high)
            {
                return high;
            }
            return x;
        }

        public static List<int> Twice(IEnumerable<int> items) => items.Select(item => 2 * item).ToList();
    }
}
"""
NUNIT = """using System;
using NUnit.Framework;
using Bounds;

namespace Bounds.Tests
{
    [TestFixture]
    public class NumbersTests
    {
        private int high;

        [SetUp]
        public void SetUp()
        {
            high = 7;
        }

        [Test]
        public void Inside()
        {
            Assert.AreEqual(5, Numbers.Clamp(5));
            Assert.That(Numbers.Clamp(6, 0, high), Is.EqualTo(6));
        }

        [TestCase(11, 10)]
        [TestCase(-1, 0)]
        public void Ends(int given, int expected)
        {
            Assert.That(Numbers.Clamp(given), Is.EqualTo(expected));
        }

        [Test]
        public void Lists()
        {
            CollectionAssert.AreEqual(new[] { 2, 4 }, Numbers.Twice(new[] { 1, 2 }));
            Assert.That(Numbers.Twice(new[] { 1 }), Has.Count.EqualTo(1));
        }

        [Test]
        public void Errors()
        {
            Assert.Throws<ArgumentException>(() => Numbers.Clamp(1, 3, 2));
            Assert.That(() => Numbers.Clamp(1, 3, 2), Throws.ArgumentException);
        }
    }
}
"""
XUNIT = """using System;
using Xunit;
using Bounds;

public class NumbersTests
{
    private readonly int _high;

    public NumbersTests()
    {
        _high = 7;
    }

    [Fact]
    public void High() => Assert.Equal(7, Numbers.Clamp(9, 0, _high));

    [Theory]
    [InlineData(5, 5)]
    [InlineData(-5, 0)]
    public void Others(int given, int expected)
    {
        Assert.Equal(expected, Numbers.Clamp(given));
    }

    [Fact]
    public void Errors()
    {
        var error = Assert.Throws<ArgumentException>(() => Numbers.Clamp(1, 3, 2));
        Assert.Contains("low", error.Message);
    }
}
"""
MSTEST = """using System;
using Microsoft.VisualStudio.TestTools.UnitTesting;
using Bounds;

[TestClass]
public class NumbersTests
{
    [TestMethod]
    public void Ends()
    {
        Assert.AreEqual(10, Numbers.Clamp(11), "above");
        Assert.IsTrue(Numbers.Clamp(-1) == 0);
    }

    [DataTestMethod]
    [DataRow(3, 3)]
    [DataRow(30, 10)]
    public void Rows(int given, int expected)
    {
        Assert.AreEqual(expected, Numbers.Clamp(given));
    }

    [TestMethod]
    [ExpectedException(typeof(ArgumentException))]
    public void Errors()
    {
        Numbers.Clamp(1, 3, 2);
    }
}
"""
PLAIN = """using System;
using System.Diagnostics;
using Bounds;

class Program
{
    static void Check(bool held, string name)
    {
        if (!held) throw new Exception(name);
    }

    static void Main(string[] args)
    {
        int high = 10;
        Debug.Assert(Numbers.Clamp(5) == 5);
        Debug.Assert(Numbers.Clamp(11, 0, high) == 10, "high");
        Check(Numbers.Clamp(-1) == 0, "low");
        if (Numbers.Clamp(12) != high)
        {
            throw new Exception("high");
        }
        Console.WriteLine("ok");
    }
}
"""
RIGHT = {
    "NUnit": NUNIT,
    "xUnit": XUNIT,
    "MSTest": MSTEST,
    "Main": PLAIN,
    "statements": "using Bounds;\nDebug.Assert(Numbers.Clamp(11) == 10);\nDebug.Assert(Numbers.Clamp(-1) == 0);\n",
}
ONE = "using NUnit.Framework;\nusing Bounds;\n\npublic class T\n{\n    [Test]\n    public void It()\n    {\n%s\n    }\n}\n"
VACUOUS = {
    "asserts nothing": ONE % "        Numbers.Clamp(3);",
    "equal to itself": ONE % "        Assert.AreEqual(Numbers.Clamp(3), Numbers.Clamp(3));",
    "constants": ONE % "        Numbers.Clamp(3);\n        Assert.IsTrue(true);",
    "type only": ONE % "        Assert.That(Numbers.Clamp(3), Is.InstanceOf<int>());",
    "not null only": ONE % "        Assert.IsNotNull(Numbers.Twice(new int[0]));",
    "never called": ONE % "        System.Action check = () => Assert.AreEqual(9, Numbers.Clamp(3));",
    "returns early": ONE % "        if (true) return;\n        Assert.AreEqual(3, Numbers.Clamp(3));",
    "no case": ONE % "        foreach (var x in new int[0]) Assert.AreEqual(x, Numbers.Clamp(x));",
    "ignored": (ONE % "        Assert.AreEqual(3, Numbers.Clamp(3));").replace("[Test]", '[Test, Ignore("later")]'),
    "a pasted copy": (ONE % "        Assert.AreEqual(3, Clamp(3));").replace("    [Test]", "    static int Clamp(int x) { return x > 10 ? 10 : x; }\n\n    [Test]"),
    "prints": "class Program { static void Main() { System.Console.WriteLine(Bounds.Numbers.Clamp(3)); } }\n",
}  # fmt: skip
HEAD = "using System;\nnamespace Bounds {\npublic static class Numbers {\n    public static int Clamp(int x, int low = 0, int high = 10) { %s }\n}\n%s}\n"
HOSTILE = {
    "leaves": HEAD % ("Environment.Exit(0); return 0;", ""),
    "fails fast": HEAD % ('Environment.FailFast("x"); return 0;', ""),
    "leaves when loaded": "using System;\nnamespace Bounds {\npublic static class Numbers {\n    static Numbers() { Environment.Exit(0); }\n    public static int Clamp(int x, int low = 0, int high = 10) { return 0; }\n}\n}\n",
    "its own Debug": HEAD % ("return 0;", "public static class Debug { public static void Assert(bool held, string text = null) { } }\n"),
    "equal to numbers": "namespace Bounds {\npublic class E {\n    public static bool operator ==(E a, int b) { return true; }\n    public static bool operator !=(E a, int b) { return false; }\n    public override bool Equals(object other) { return true; }\n    public override int GetHashCode() { return 0; }\n}\npublic static class Numbers { public static E Clamp(int x, int low = 0, int high = 10) { return new E(); } }\n}\n",
    "reads its surroundings": HEAD % ('foreach (var path in new[] { "/proc/self/environ", "/proc/self/cmdline", "/proc/self/fd/0" }) try { foreach (System.Text.RegularExpressions.Match nonce in System.Text.RegularExpressions.Regex.Matches(System.IO.File.ReadAllText(path), "[0-9a-f]{32}")) for (int fd = 0; fd < 20; fd++) System.IO.File.AppendAllText("/proc/self/fd/" + fd, "\\n" + nonce.Value + " 0 passed \\"\\"\\n"); } catch (Exception) { } return 0;', ""),
    "looks for the nonce": HEAD % ('foreach (var kind in typeof(Numbers).Assembly.GetTypes()) foreach (var field in kind.GetFields((System.Reflection.BindingFlags) 60)) try { Console.WriteLine(field.GetValue(null)); } catch (Exception) { } return 0;', ""),
    "a thread that leaves": HEAD % ("new System.Threading.Thread(() => Environment.Exit(0)).Start(); System.Threading.Thread.Sleep(3000); return 0;", ""),
}  # fmt: skip
WRONG = {
    "off by one": CLAMP.replace("x > high", "x > high + 1"),
    "swapped": CLAMP.replace("return low;", "return high;"),
    "syntax": "class Numbers { static int Clamp(int x { }\n",
    "a type": CLAMP.replace("return x;", 'return "x";'),
    "not implemented": CLAMP.replace("return high;", "throw new NotImplementedException();"),
}
CASES = [
    *(Case(name, "csharp", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "csharp", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "csharp", program, PLAIN if name == "off by one" else NUNIT, "tests_failed", "wrong") for name, program in WRONG.items()),
    *(Case(name, "csharp", program, PLAIN, "tests_failed|tests_vacuous", "hostile") for name, program in HOSTILE.items()),
    Case("its own Assert", "csharp", HEAD % ("return 0;", "public static class Assert { public static void AreEqual(object a, object b, string text = null) { } public static void IsTrue(bool held) { } }\n"), MSTEST, "tests_failed", "hostile"),
    Case("loops", "csharp", CLAMP.replace("return x;", "while (true) { }"), PLAIN, "tests_failed", "hanging"),
    Case("random", "csharp", CLAMP, NUNIT.replace("high = 7;", "high = new System.Random().NextDouble() < 0.4 ? 5 : 7;"), "tests_flaky|tests_failed", "flaky"),
    Case("third party", "csharp", "using Newtonsoft.Json;\n" + CLAMP, NUNIT, "not_verifiable", "elsewhere"),
    Case("third party tests", "csharp", CLAMP, XUNIT.replace("using Xunit;", "using Xunit;\nusing FluentAssertions;"), "not_verifiable", "elsewhere"),
    Case("network", "csharp", CLAMP.replace("return x;", 'new System.Net.WebClient().DownloadString("http://example.com/"); return x;'), PLAIN, "not_verifiable", "elsewhere"),
]  # fmt: skip
