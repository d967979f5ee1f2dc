"""C#: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """using System;
using System.Collections.Generic;
using System.Linq;

namespace Stock
{
    public class OutOfStockException : InvalidOperationException
    {
        public OutOfStockException(string message) : base(message) { }
    }

    public class Inventory
    {
        private readonly Dictionary<string, int> counts = new Dictionary<string, int>();

        public int Total => counts.Values.Sum();

        public void Add(string name, int count = 1)
        {
            if (count <= 0)
            {
                throw new ArgumentOutOfRangeException(nameof(count), "count must be positive");
            }
            counts.TryGetValue(name, out int have);
            counts[name] = have + count;
        }

        public int Remove(string name, int count = 1)
        {
            counts.TryGetValue(name, out int have);
            if (count > have)
            {
                throw new OutOfStockException($"only {have} of {name}");
            }
            counts[name] = have - count;
            return have - count;
        }

        public bool Has(string name)
        {
            return counts.ContainsKey(name) && counts[name] > 0;
        }
    }

    public static class Tools
    {
        public static double? Median(IEnumerable<double> values)
        {
            var ordered = values.OrderBy(x => x).ToList();
            if (ordered.Count == 0)
            {
                return null;
            }
            int middle = ordered.Count / 2;
            if (ordered.Count % 2 == 1)
            {
                return ordered[middle];
            }
            return (ordered[middle - 1] + ordered[middle]) / 2;
        }

        public static Dictionary<string, int> ParsePairs(string text)
        {
            var found = new Dictionary<string, int>();
            foreach (var part in text.Split(new[] { ';' }, StringSplitOptions.RemoveEmptyEntries))
            {
                var sides = part.Split('=');
                if (sides.Length != 2)
                {
                    throw new FormatException("bad pair: " + part);
                }
                int value = int.Parse(sides[1]);
                found[sides[0].Trim()] = value;
            }
            return found;
        }
    }
}
"""
WRONG = {
    "the last one cannot be removed": ("if (count > have)", "if (count >= have)"),
    "upper median": ("(ordered[middle - 1] + ordered[middle]) / 2", "ordered[middle]"),
    "no negative numbers": ("int value = int.Parse(sides[1])", "int value = Math.Abs(int.Parse(sides[1]))"),
}
FULL = {
    "xUnit": """using System;
using System.Collections.Generic;
using Stock;
using Xunit;

namespace Stock.Tests
{
    public class InventoryTests
    {
        private readonly Inventory inventory = new Inventory();

        public InventoryTests()
        {
            inventory.Add("apple", 3);
        }

        [Fact]
        public void RemovesAll()
        {
            Assert.Equal(0, inventory.Remove("apple", 3));
            Assert.False(inventory.Has("apple"));
        }

        [Fact]
        public void ThrowsWhenTooFew()
        {
            var error = Assert.Throws<OutOfStockException>(() => inventory.Remove("apple", 4));
            Assert.Equal("only 3 of apple", error.Message);
            Assert.Contains("only 3", error.Message);
        }

        [Theory]
        [InlineData("a=-1", "a", -1)]
        [InlineData("b=2;c=3", "c", 3)]
        public void Parses(string text, string name, int expected)
        {
            Assert.Equal(expected, Tools.ParsePairs(text)[name]);
        }

        [Fact]
        public void Medians()
        {
            Assert.Null(Tools.Median(new List<double>()));
            Assert.Equal(1.5, Tools.Median(new[] { 1.0, 2.0 }));
            Assert.True(Tools.Median(new[] { 3.0, 1.0, 2.0 }) == 2.0, "odd");
        }
    }
}
""",
    "NUnit": """using System.Collections.Generic;
using NUnit.Framework;
using Stock;

[TestFixture]
public class InventoryTests
{
    private Inventory inventory;

    [SetUp]
    public void SetUp()
    {
        inventory = new Inventory();
        inventory.Add("apple", 3);
    }

    [Test]
    public void RemovesAll()
    {
        Assert.That(inventory.Remove("apple", 3), Is.EqualTo(0));
        Assert.That(inventory.Has("apple"), Is.False);
        Assert.AreEqual(0, inventory.Total);
    }

    [Test]
    public void Refuses()
    {
        Assert.Throws<OutOfStockException>(() => inventory.Remove("pear"));
        Assert.That(() => inventory.Add("pear", 0), Throws.TypeOf<System.ArgumentOutOfRangeException>());
    }

    [TestCase(new double[] { 1, 2 }, 1.5)]
    [TestCase(new double[] { 5 }, 5)]
    public void Medians(double[] values, double expected)
    {
        Assert.That(Tools.Median(values), Is.EqualTo(expected).Within(0.0001));
    }

    [Test]
    public void Pairs()
    {
        CollectionAssert.AreEquivalent(new Dictionary<string, int> { { "a", 1 }, { "b", -2 } }, Tools.ParsePairs("a=1;b=-2"));
        Assert.IsEmpty(Tools.ParsePairs(""));
    }
}
""",
    "MSTest": """using Microsoft.VisualStudio.TestTools.UnitTesting;
using Stock;
using System;

[TestClass]
public class InventoryTests
{
    [TestMethod]
    public void Remove()
    {
        var inventory = new Inventory();
        inventory.Add("a");
        Assert.AreEqual(0, inventory.Remove("a"));
        Assert.ThrowsException<OutOfStockException>(() => inventory.Remove("a"));
    }

    [DataTestMethod]
    [DataRow("a=-1", -1)]
    [DataRow("a=7", 7)]
    public void Pairs(string text, int expected)
    {
        Assert.AreEqual(expected, Tools.ParsePairs(text)["a"]);
    }

    [TestMethod]
    public void Median()
    {
        Assert.AreEqual(1.5, Tools.Median(new[] { 1.0, 2.0 }).Value, 0.001);
        Assert.IsNull(Tools.Median(new double[0]));
    }
}
""",
    "a Main": """using System;
using System.Diagnostics;
using Stock;

class Program
{
    static void Main()
    {
        var inventory = new Inventory();
        inventory.Add("bolt", 5);
        Debug.Assert(inventory.Total == 5, "total");
        int left = inventory.Remove("bolt", 5);
        if (left != 0)
        {
            throw new Exception("left: " + left);
        }
        Debug.Assert(Tools.Median(new[] { 2.0, 1.0 }) == 1.5);
        if (Tools.ParsePairs("k=-9")["k"] != -9)
        {
            Console.WriteLine("pairs");
            Environment.Exit(1);
        }
        Console.WriteLine("All tests passed!");
    }
}
""",
    "methods that Main calls": """using System;
using System.Collections.Generic;
using Stock;

public static class Tests
{
    private static void AssertEqual<T>(T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new Exception($"expected {expected}, got {actual}");
        }
    }

    static void TestRemove()
    {
        var inventory = new Inventory();
        inventory.Add("a", 2);
        AssertEqual(0, inventory.Remove("a", 2));
    }

    static void TestFunctions()
    {
        AssertEqual<double?>(2.5, Tools.Median(new[] { 1.0, 2.0, 3.0, 4.0 }));
        AssertEqual(-3, Tools.ParsePairs("a=-3")["a"]);
    }

    public static int Main(string[] args)
    {
        TestRemove();
        TestFunctions();
        return 0;
    }
}
""",
}
UNIT = "using System;\nusing Stock;\nusing Xunit;\n\npublic class InventoryTests\n{\n    [Fact]\n    public void It()\n    {\n        %s\n    }\n}\n"
VACUOUS = {
    "calls": UNIT % "Tools.Median(new[] { 1.0 });",
    "not null": UNIT % 'Assert.NotNull(new Inventory()); Assert.NotNull(Tools.ParsePairs("a=1"));',
    "true": UNIT % "Tools.Median(new[] { 1.0 }); Assert.True(true);",
    "two calls": UNIT % "Assert.Equal(Tools.Median(new[] { 1.0 }), Tools.Median(new[] { 1.0 }));",
    "caught": UNIT % "try { Assert.Equal(9.0, Tools.Median(new[] { 1.0 })); } catch (Exception) { }",
    "skipped": UNIT.replace("[Fact]", '[Fact(Skip = "later")]') % "Assert.Equal(1.0, Tools.Median(new[] { 1.0 }));",
    "a type": UNIT % 'Assert.IsType<System.Collections.Generic.Dictionary<string, int>>(Tools.ParsePairs("a=1"));',
    "a lambda that nobody calls": UNIT % "Action check = () => Assert.Equal(9.0, Tools.Median(new[] { 1.0 }));",
}
