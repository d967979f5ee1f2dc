"""Sources of arguments of NUnit, xUnit and MSTest, and assertions about each item of a list."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "csharp")

CART = """using System;
using System.Collections.Generic;
using System.Linq;

public class Cart
{
    private readonly SortedDictionary<string, int> items = new SortedDictionary<string, int>();
    public int Count { get { return items.Values.Sum(); } }
    public void Add(string name, int count)
    {
        if (name == null) throw new ArgumentNullException("name");
        int have;
        items.TryGetValue(name, out have);
        items[name] = have + count;
    }
    public List<string> Names() { return items.Keys.ToList(); }
    public static string Grade(int score) { return score >= 90 ? "A" : score >= 80 ? "B" : "C"; }
}
"""
BOUND = CART.replace(">= 90", "> 90")
FORGETS = CART.replace("have + count", "count")
NAMES = CART.replace("items.Keys.ToList()", 'items.Keys.Where(x => x != "pear").ToList()')

NUNIT = """using System.Collections.Generic;
using NUnit.Framework;

[TestFixture]
public class CartTests
{
    public static IEnumerable<TestCaseData> Counts()
    {
        yield return new TestCaseData(new[] { 1, 2 }, 3).SetName("two");
        yield return new TestCaseData(new int[0], 0);
    }
    public static object[] Grades = { new object[] { 90, "A" }, new object[] { 89, "B" }, new object[] { 79, "C" } };
    public static IEnumerable<TestCaseData> Letters
    {
        get { yield return new TestCaseData(90).Returns("A"); yield return new TestCaseData(80).Returns("B"); }
    }

    [Test, TestCaseSource("Counts")]
    public void CountsAll(int[] counts, int expected)
    {
        var cart = new Cart();
        foreach (var count in counts) cart.Add("x", count);
        Assert.That(cart.Count, Is.EqualTo(expected));
    }

    [TestCaseSource("Grades")]
    public void GradesByScore(int score, string expected) { Assert.AreEqual(expected, Cart.Grade(score)); }

    [TestCaseSource("Letters")]
    public string Returned(int score) { return Cart.Grade(score); }
}
"""
add("NUnit TestCaseSource", "right", CART, NUNIT)
add("NUnit TestCaseSource, bound", "wrong", BOUND, NUNIT)
add("NUnit TestCaseSource, forgets", "wrong", FORGETS, NUNIT)
RETURNS = NUNIT.replace('[TestCaseSource("Grades")]', "").replace('[Test, TestCaseSource("Counts")]', "")
add("NUnit TestCaseData.Returns alone, bound", "wrong", BOUND, RETURNS)

XUNIT = """using System;
using System.Collections.Generic;
using Xunit;

public class CartTests
{
    public static IEnumerable<object[]> Grades => new List<object[]> { new object[] { 90, "A" }, new object[] { 80, "B" } };

    [Theory]
    [MemberData(nameof(Grades))]
    public void GradesByScore(int score, string expected) => Assert.Equal(expected, Cart.Grade(score));

    [Fact]
    public void Items()
    {
        var cart = new Cart();
        cart.Add("pear", 1);
        cart.Add("fig", 2);
        cart.Add("fig", 2);
        Assert.Equal(5, cart.Count);
        Assert.Collection(cart.Names(), x => Assert.Equal("fig", x), x => Assert.Equal("pear", x));
        Assert.All(cart.Names(), x => Assert.True(x.Length >= 3));
        Assert.Throws<ArgumentNullException>("name", () => cart.Add(null, 1));
    }
}
"""
add("xUnit MemberData and Collection", "right", CART, XUNIT)
add("xUnit MemberData, bound", "wrong", BOUND, XUNIT)
add("xUnit Collection, an item is missing", "wrong", NAMES, XUNIT)

MSTEST = """using System.Collections.Generic;
using Microsoft.VisualStudio.TestTools.UnitTesting;

[TestClass]
public class CartTests
{
    public static IEnumerable<object[]> Data() { yield return new object[] { 90, "A" }; yield return new object[] { 79, "C" }; }

    [DataTestMethod, DynamicData(nameof(Data), DynamicDataSourceType.Method)]
    public void Grade(int score, string expected) { Assert.AreEqual(expected, Cart.Grade(score)); }
}
"""
add("MSTest DynamicData", "right", CART, MSTEST)
add("MSTest DynamicData, bound", "wrong", BOUND, MSTEST)

INITIAL = """public static class Text
{
    public static string Initial(string name) { return name.Length == 0 ? null : name.Substring(0, 1); }
}
"""
SUM = """using System.Threading.Tasks;

public static class Later
{
    public static async Task<int> Sum(int a, int b) { await Task.Yield(); return a + b; }
}
"""
RETURNED = """using NUnit.Framework;

[TestFixture]
public class TextTests
{
    [TestCase("", ExpectedResult = null)]
    [TestCase("fig", ExpectedResult = "f")]
    public string Initial(string name) { return Text.Initial(name); }
}
"""
AWAITED = """using NUnit.Framework;
using System.Threading.Tasks;

[TestFixture]
public class LaterTests
{
    [TestCase(1, 2, ExpectedResult = 3)]
    [TestCase(5, 0, ExpectedResult = 5)]
    public async Task<int> Sum(int a, int b) { return await Later.Sum(a, b); }
}
"""
add("NUnit, null is expected", "right", INITIAL, RETURNED)
add("NUnit, null is expected and empty", "wrong", INITIAL.replace("? null", '? ""'), RETURNED)
add("NUnit, an awaited result", "right", SUM, AWAITED)
add("NUnit, an awaited result, one more", "wrong", SUM.replace("a + b", "a + b + 1"), AWAITED)
