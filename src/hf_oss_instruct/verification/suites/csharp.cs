namespace HIDDEN {
    using System;
    using System.Collections;
    using System.Collections.Generic;
    using System.Linq;
    using System.Reflection;
    using System.Runtime.InteropServices;
    using System.Text;
    using System.Text.RegularExpressions;
    using System.Threading;
    using System.Threading.Tasks;

    public class FailedException : Exception { public FailedException(string text) : base(text) { if (Attempt.Counts) Attempt.Counted(text); } }
    public class SkippedException : Exception { public SkippedException(string text) : base(text) {} }
    public class Mark : Attribute { public object[] Row; public string TestName { get; set; } public string Skip { get; set; } public string Description { get; set; } public string DisplayName { get; set; } public int Order { get; set; } public object ExpectedResult { get; set; } public Mark(params object[] row) { Row = row ?? new object[] { null }; } }
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)] public class RowMark : Mark { public RowMark(params object[] row) : base(row) {} }
    public class TestAttribute : Mark {} public class FactAttribute : Mark {} public class TheoryAttribute : Mark {} public class TestMethodAttribute : Mark { public TestMethodAttribute(params object[] row) {} } public class DataTestMethodAttribute : Mark {}
    public class TestCaseAttribute : RowMark { public TestCaseAttribute(params object[] row) : base(row) {} } public class InlineDataAttribute : RowMark { public InlineDataAttribute(params object[] row) : base(row) {} } public class DataRowAttribute : RowMark { public DataRowAttribute(params object[] row) : base(row) {} }
    public class SourceMark : Mark { public Type Kind; public string Source; }
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)] public class TestCaseSourceAttribute : SourceMark { public TestCaseSourceAttribute(string source) { Source = source; } public TestCaseSourceAttribute(Type kind, string source) { Kind = kind; Source = source; } }
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)] public class MemberDataAttribute : SourceMark { public Type MemberType { get { return Kind; } set { Kind = value; } } public MemberDataAttribute(string source) { Source = source; } }
    public enum DynamicDataSourceType { Property, Method, AutoDetect }
    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)] public class DynamicDataAttribute : SourceMark { public DynamicDataAttribute(string source, DynamicDataSourceType how = DynamicDataSourceType.AutoDetect) { Source = source; } public DynamicDataAttribute(string source, Type kind, DynamicDataSourceType how = DynamicDataSourceType.AutoDetect) { Source = source; Kind = kind; } }
    public class TestCaseData {
        public object[] Row; public object Expected; public string Ignored;
        public TestCaseData(params object[] row) { Row = row ?? new object[] { null }; }
        public TestCaseData Returns(object value) { Expected = value; return this; }
        public TestCaseData SetName(string name) { return this; }
        public TestCaseData SetDescription(string text) { return this; }
        public TestCaseData SetCategory(string name) { return this; }
    }
    public class SetUpAttribute : Mark {} public class TestInitializeAttribute : Mark {} public class OneTimeSetUpAttribute : Mark {} public class TearDownAttribute : Mark {} public class TestCleanupAttribute : Mark {} public class OneTimeTearDownAttribute : Mark {}
    public class IgnoreAttribute : Mark { public IgnoreAttribute(params object[] row) {} }
    public class ExpectedExceptionAttribute : Mark { public Type Kind; public ExpectedExceptionAttribute(Type kind, string text = "") { Kind = kind; } }

    public static class Values {
        public static void Hold(bool held, string text, params object[] values) { if (!held) throw new FailedException(text + " " + string.Join(", ", (values ?? new object[] { null }).Select(Shown))); }
        static string Shown(object value) { return value == null ? "null" : value is string ? (string)value : value is IEnumerable ? "[" + string.Join(", ", ((IEnumerable)value).Cast<object>().Take(20).Select(Shown)) + "]" : value.ToString(); }
        static bool Number(object v) { return v is sbyte || v is byte || v is short || v is ushort || v is int || v is uint || v is long || v is ulong || v is float || v is double || v is decimal; }
        class Stranger {}
        static bool Honest(object v) { return v == null || v.GetType().Assembly != typeof(Values).Assembly || !v.Equals(new Stranger()); }
        public static bool Same(object a, object b) {
            if (a == null || b == null) return a == null && b == null;
            if (a is string || b is string) return a is string && b is string && string.Equals((string)a, (string)b, StringComparison.Ordinal);
            if (Number(a) && Number(b)) return a is float || a is double || b is float || b is double ? Convert.ToDouble(a).Equals(Convert.ToDouble(b)) : Convert.ToDecimal(a) == Convert.ToDecimal(b);
            if (a is IDictionary && b is IDictionary) { var one = (IDictionary)a; var other = (IDictionary)b; return one.Count == other.Count && one.Keys.Cast<object>().All(key => other.Contains(key) && Same(one[key], other[key])); }
            if (a is IEnumerable && b is IEnumerable) { var one = ((IEnumerable)a).Cast<object>().ToList(); var other = ((IEnumerable)b).Cast<object>().ToList(); return one.Count == other.Count && one.Zip(other, Same).All(held => held); }
            if (!Honest(a) || !Honest(b)) throw new FailedException("a value says that it is equal to anything");
            return a.Equals(b);
        }
        public static bool Equivalent(object a, object b) { var rest = ((IEnumerable)b).Cast<object>().ToList(); foreach (var one in (IEnumerable)a) { int at = rest.FindIndex(other => Same(one, other)); if (at < 0) return false; rest.RemoveAt(at); } return rest.Count == 0; }
        public static bool Empty(object a) { return a is string ? ((string)a).Length == 0 : !((IEnumerable)a).Cast<object>().Any(); }
        public static bool Near(object a, object b, double most) { return Math.Abs(Convert.ToDouble(a) - Convert.ToDouble(b)) <= most || Convert.ToDouble(a).Equals(Convert.ToDouble(b)); }
        public static int Compared(object a, object b) { return Number(a) && Number(b) ? Convert.ToDouble(a).CompareTo(Convert.ToDouble(b)) : ((IComparable)a).CompareTo(b); }
        public static bool Holds(object all, object one) { return all is string ? ((string)all).Contains((string)one) : ((IEnumerable)all).Cast<object>().Any(other => Same(one, other)); }
        public static Exception Thrown(Action body) { try { body(); } catch (FailedException) { throw; } catch (Exception error) { return error is AggregateException && error.InnerException != null ? error.InnerException : error; } return null; }
        public static T Caught<T>(Action body, bool exact) where T : Exception { var error = Thrown(body); Hold(error is T && (!exact || error.GetType() == typeof(T)), "expected " + typeof(T).Name + ", got", error); return (T)error; }
    }

    public static class Assert {
        public static void AreEqual(object a, object b, params object[] m) { Values.Hold(Values.Same(a, b), "expected", a, b); }
        public static void AreEqual(double a, double b, double most, params object[] m) { Values.Hold(Values.Near(a, b, most), "expected", a, b); }
        public static void Equal(object a, object b) { Values.Hold(Values.Same(a, b), "expected", a, b); }
        public static void Equal(double a, double b, int digits) { Values.Hold(Math.Round(a, digits) == Math.Round(b, digits), "expected", a, b); }
        public static void AreNotEqual(object a, object b, params object[] m) { Values.Hold(!Values.Same(a, b), "both are", a); }
        public static void NotEqual(object a, object b) { Values.Hold(!Values.Same(a, b), "both are", a); }
        public static void True(bool? a, params object[] m) { Values.Hold(a == true, "is not true"); }
        public static void IsTrue(bool? a, params object[] m) { Values.Hold(a == true, "is not true"); }
        public static void False(bool? a, params object[] m) { Values.Hold(a == false, "is not false"); }
        public static void IsFalse(bool? a, params object[] m) { Values.Hold(a == false, "is not false"); }
        public static void Null(object a, params object[] m) { Values.Hold(a == null, "is not null", a); }
        public static void IsNull(object a, params object[] m) { Values.Hold(a == null, "is not null", a); }
        public static void NotNull(object a, params object[] m) { Values.Hold(a != null, "is null"); }
        public static void IsNotNull(object a, params object[] m) { Values.Hold(a != null, "is null"); }
        public static void AreSame(object a, object b, params object[] m) { Values.Hold(ReferenceEquals(a, b), "are not the same", a, b); }
        public static void Same(object a, object b) { Values.Hold(ReferenceEquals(a, b), "are not the same", a, b); }
        public static void NotSame(object a, object b) { Values.Hold(!ReferenceEquals(a, b), "are the same", a); }
        public static void AreNotSame(object a, object b, params object[] m) { Values.Hold(!ReferenceEquals(a, b), "are the same", a); }
        public static void Empty(object a) { Values.Hold(Values.Empty(a), "is not empty", a); }
        public static void IsEmpty(object a, params object[] m) { Values.Hold(Values.Empty(a), "is not empty", a); }
        public static void NotEmpty(object a) { Values.Hold(!Values.Empty(a), "is empty"); }
        public static void IsNotEmpty(object a, params object[] m) { Values.Hold(!Values.Empty(a), "is empty"); }
        public static void Contains(object one, object all, params object[] m) { Values.Hold(Values.Holds(all, one), "is not there", one); }
        public static void DoesNotContain(object one, object all, params object[] m) { Values.Hold(!Values.Holds(all, one), "is there", one); }
        public static void StartsWith(string a, string b) { Values.Hold(b.StartsWith(a), "does not start with", a); }
        public static void EndsWith(string a, string b) { Values.Hold(b.EndsWith(a), "does not end with", a); }
        public static void Matches(string a, string b) { Values.Hold(Regex.IsMatch(b, a), "does not match", a); }
        public static object Single(IEnumerable all) { var found = all.Cast<object>().ToList(); Values.Hold(found.Count == 1, "is not one", found.Count); return found[0]; }
        public static void Collection<T>(IEnumerable<T> all, params Action<T>[] checks) { var found = all.ToList(); Values.Hold(found.Count == checks.Length, "other number of items", found); for (int at = 0; at < checks.Length; at++) checks[at](found[at]); }
        public static void All<T>(IEnumerable<T> all, Action<T> check) { foreach (var one in all) check(one); }
        public static void Contains<T>(IEnumerable<T> all, Predicate<T> wanted) { Values.Hold(all.Any(one => wanted(one)), "is not there"); }
        public static void DoesNotContain<T>(IEnumerable<T> all, Predicate<T> wanted) { Values.Hold(!all.Any(one => wanted(one)), "is there"); }
        public static T Throws<T>(string parameter, Action body) where T : ArgumentException { var error = Values.Caught<T>(body, true); Values.Hold(error.ParamName == parameter, "another parameter", error.ParamName); return error; }
        public static T Throws<T>(Action body, params object[] m) where T : Exception { return Values.Caught<T>(body, true); }
        public static T Throws<T>(Func<object> body, params object[] m) where T : Exception { return Values.Caught<T>(() => body(), true); }
        public static T ThrowsException<T>(Action body, params object[] m) where T : Exception { return Values.Caught<T>(body, true); }
        public static T ThrowsException<T>(Func<object> body, params object[] m) where T : Exception { return Values.Caught<T>(() => body(), true); }
        public static T ThrowsExactly<T>(Action body) where T : Exception { return Values.Caught<T>(body, true); }
        public static T ThrowsAny<T>(Action body) where T : Exception { return Values.Caught<T>(body, false); }
        public static T Catch<T>(Action body, params object[] m) where T : Exception { return Values.Caught<T>(body, false); }
        public static Task<T> ThrowsAsync<T>(Func<Task> body, params object[] m) where T : Exception { return Task.FromResult(Values.Caught<T>(() => body().Wait(), true)); }
        public static Task<T> ThrowsExceptionAsync<T>(Func<Task> body, params object[] m) where T : Exception { return Task.FromResult(Values.Caught<T>(() => body().Wait(), true)); }
        public static void DoesNotThrow(Action body, params object[] m) { body(); }
        public static void IsInstanceOf<T>(object a, params object[] m) { Values.Hold(a is T, "is no", typeof(T)); }
        public static void IsInstanceOfType(object a, Type kind, params object[] m) { Values.Hold(kind.IsInstanceOfType(a), "is no", kind); }
        public static T IsType<T>(object a) { Values.Hold(a != null && a.GetType() == typeof(T), "is no", typeof(T)); return (T)a; }
        public static T IsAssignableFrom<T>(object a) { Values.Hold(a is T, "is no", typeof(T)); return (T)a; }
        public static void Greater(object a, object b, params object[] m) { Values.Hold(Values.Compared(a, b) > 0, "is not greater", a, b); }
        public static void GreaterOrEqual(object a, object b, params object[] m) { Values.Hold(Values.Compared(a, b) >= 0, "is less", a, b); }
        public static void Less(object a, object b, params object[] m) { Values.Hold(Values.Compared(a, b) < 0, "is not less", a, b); }
        public static void LessOrEqual(object a, object b, params object[] m) { Values.Hold(Values.Compared(a, b) <= 0, "is greater", a, b); }
        public static void InRange(object a, object low, object high) { Values.Hold(Values.Compared(a, low) >= 0 && Values.Compared(a, high) <= 0, "is not in range", a); }
        public static void Multiple(Action body) { body(); }
        public static void Fail(string text = "fail", params object[] m) { throw new FailedException(text); }
        public static void Pass(string text = "") {}
        public static void Ignore(string text = "") { throw new SkippedException(text); }
        public static void Inconclusive(string text = "") { throw new SkippedException(text); }
        public static void That(bool a, params object[] m) { Values.Hold(a, "does not hold"); }
        public static void That(bool a, Constraint wanted, params object[] m) { That((object) a, wanted, m); }
        public static void That(object a, Constraint wanted, params object[] m) { Values.Hold(wanted.Holds(a), "does not fit", a); }
        public static void That(Action a, Constraint wanted, params object[] m) { Values.Hold(wanted.Holds(Values.Thrown(a)), "throws another"); }
        public static void That(Func<object> a, Constraint wanted, params object[] m) { Values.Hold(wanted.Holds(wanted.OfErrors ? Values.Thrown(() => a()) : a()), "does not fit"); }
    }
    public static class CollectionAssert {
        public static void AreEqual(object a, object b, params object[] m) { Assert.AreEqual(a, b); }
        public static void AreNotEqual(object a, object b, params object[] m) { Assert.AreNotEqual(a, b); }
        public static void AreEquivalent(object a, object b, params object[] m) { Values.Hold(Values.Equivalent(a, b), "other items", a, b); }
        public static void Contains(object all, object one, params object[] m) { Values.Hold(Values.Holds(all, one), "is not there", one); }
        public static void DoesNotContain(object all, object one, params object[] m) { Values.Hold(!Values.Holds(all, one), "is there", one); }
        public static void IsEmpty(object a, params object[] m) { Assert.Empty(a); }
        public static void IsNotEmpty(object a, params object[] m) { Assert.NotEmpty(a); }
    }
    public static class StringAssert { // NUnit takes the expected text first, MSTest second
        public static void Contains(string a, string b, params object[] m) { Values.Hold(Attempt.Counts ? b.Contains(a) : a.Contains(b), "does not contain", a, b); }
        public static void StartsWith(string a, string b, params object[] m) { Values.Hold(Attempt.Counts ? b.StartsWith(a) : a.StartsWith(b), "does not start with", a, b); }
        public static void EndsWith(string a, string b, params object[] m) { Values.Hold(Attempt.Counts ? b.EndsWith(a) : a.EndsWith(b), "does not end with", a, b); }
    }
    public class Constraint {
        Func<object, bool> held; object expected; bool turned; public bool OfErrors; Func<object, object> part;
        public Constraint(Func<object, bool> held, bool turned = false, Func<object, object> part = null) { this.held = held; this.turned = turned; this.part = part; }
        public static Constraint Equal(object value, bool turned = false, Func<object, object> part = null) { return new Constraint(a => Values.Same(value, a), turned, part) { expected = value }; }
        public Constraint Within(double most) { return new Constraint(a => Values.Near(expected, a, most), turned, part); }
        public Constraint IgnoreCase { get { return new Constraint(a => string.Equals((string)expected, (string)a, StringComparison.OrdinalIgnoreCase), turned, part); } }
        public Constraint And { get { return this; } }
        public bool Holds(object a) { return held(part == null ? a : part(a)) != turned; }
    }
    public class Wanted {
        bool turned; Func<object, object> part;
        public Wanted(bool turned = false, Func<object, object> part = null) { this.turned = turned; this.part = part; }
        Constraint New(Func<object, bool> held) { return new Constraint(held, turned, part); }
        public Wanted Not { get { return new Wanted(!turned, part); } }
        public Constraint EqualTo(object value) { return Constraint.Equal(value, turned, part); }
        public Constraint SameAs(object value) { return New(a => ReferenceEquals(a, value)); }
        public Constraint EquivalentTo(object value) { return New(a => Values.Equivalent(value, a)); }
        public Constraint Null { get { return New(a => a == null); } }
        public Constraint True { get { return New(a => a is bool && (bool)a); } }
        public Constraint False { get { return New(a => a is bool && !(bool)a); } }
        public Constraint Empty { get { return New(Values.Empty); } }
        public Constraint NaN { get { return New(a => double.IsNaN(Convert.ToDouble(a))); } }
        public Constraint Zero { get { return New(a => Values.Same(0, a)); } }
        public Constraint Positive { get { return New(a => Values.Compared(a, 0) > 0); } }
        public Constraint Negative { get { return New(a => Values.Compared(a, 0) < 0); } }
        public Constraint GreaterThan(object b) { return New(a => Values.Compared(a, b) > 0); }
        public Constraint GreaterThanOrEqualTo(object b) { return New(a => Values.Compared(a, b) >= 0); }
        public Constraint AtLeast(object b) { return New(a => Values.Compared(a, b) >= 0); }
        public Constraint LessThan(object b) { return New(a => Values.Compared(a, b) < 0); }
        public Constraint LessThanOrEqualTo(object b) { return New(a => Values.Compared(a, b) <= 0); }
        public Constraint AtMost(object b) { return New(a => Values.Compared(a, b) <= 0); }
        public Constraint InRange(object low, object high) { return New(a => Values.Compared(a, low) >= 0 && Values.Compared(a, high) <= 0); }
        public Constraint InstanceOf<T>() { return New(a => a is T); }
        public Constraint TypeOf<T>() { return New(a => a != null && a.GetType() == typeof(T)); }
        public Constraint Contain(object one) { return New(a => Values.Holds(a, one)); }
        public Constraint Member(object one) { return New(a => Values.Holds(a, one)); }
        public Constraint StartWith(string one) { return New(a => ((string)a).StartsWith(one)); }
        public Constraint EndWith(string one) { return New(a => ((string)a).EndsWith(one)); }
        public Constraint Match(string one) { return New(a => Regex.IsMatch((string)a, one)); }
        public Wanted Count { get { return new Wanted(turned, a => ((IEnumerable)a).Cast<object>().Count()); } }
        public Wanted Length { get { return Count; } }
        public Constraint Item(object one) { return Member(one); }
    }
    public static class NUnitWords { public static Wanted Is = new Wanted(), Has = new Wanted(), Does = new Wanted(), Contains = new Wanted(); }
    public static class Throws {
        static Constraint Of(Func<object, bool> held) { return new Constraint(held) { OfErrors = true }; }
        public static Constraint TypeOf<T>() { return Of(a => a != null && a.GetType() == typeof(T)); }
        public static Constraint InstanceOf<T>() { return Of(a => a is T); }
        public static Constraint ArgumentException { get { return TypeOf<ArgumentException>(); } }
        public static Constraint ArgumentNullException { get { return TypeOf<ArgumentNullException>(); } }
        public static Constraint InvalidOperationException { get { return TypeOf<InvalidOperationException>(); } }
        public static Constraint Exception { get { return Of(a => a != null); } }
        public static Constraint Nothing { get { return Of(a => a == null); } }
    }

    class Attempt {
        public string Status = "failed", Detail = "timeout";
        // A failed assertion of NUnit fails its test also where the test catches it, as a failed `Debug.Assert` ends the process.
        public const bool Counts = COUNTS;
        static string first;
        public static void Counted(string text) { first = first ?? text; }
        readonly string owner, method;
        public Attempt(string owner, string method) { this.owner = owner; this.method = method; }
        const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
        static T[] Marks<T>(MethodInfo one) { return one.GetCustomAttributes(typeof(T), false).Cast<T>().ToArray(); }
        public void Run() {
            first = null;
            try { Body(); Status = "passed"; Detail = ""; }
            catch (Exception error) {
                while (error is TargetInvocationException || error is AggregateException) error = error.InnerException;
                Status = error is SkippedException ? "skipped" : "failed";
                Detail = error.GetType().Name + ": " + error.Message;
            }
            if (first != null && Status != "failed") { Status = "failed"; Detail = "FailedException: " + first; }
        }
        void Body() {
            var kind = typeof(Attempt).Assembly.GetType(owner, true);
            var body = kind.GetMethod(method, Any);
            if (Marks<IgnoreAttribute>(body).Any() || Marks<Mark>(body).Any(one => one.Skip != null)) throw new SkippedException("ignored");
            var rows = Marks<RowMark>(body);
            var sources = Marks<SourceMark>(body);
            if (rows.Length == 0 && sources.Length == 0) Once(kind, body, null, null);
            foreach (var row in rows) Once(kind, body, row.Row, row.ExpectedResult);
            foreach (var source in sources) {
                int count = 0;
                foreach (var one in Given(source.Kind ?? kind, source.Source)) {
                    count++;
                    var data = one as TestCaseData;
                    if (data != null) Once(kind, body, data.Row, data.Expected);
                    else Once(kind, body, one as object[] ?? new object[] { one }, null);
                }
                Values.Hold(count > 0, "a source gives no case", source.Source);
            }
        }
        static IEnumerable Given(Type kind, string source) {
            const BindingFlags which = Any | BindingFlags.FlattenHierarchy;
            var owner = new Lazy<object>(() => Activator.CreateInstance(kind, true));
            var property = kind.GetProperty(source, which);
            if (property != null) return (IEnumerable)property.GetValue(property.GetGetMethod(true).IsStatic ? null : owner.Value, null);
            var field = kind.GetField(source, which);
            if (field != null) return (IEnumerable)field.GetValue(field.IsStatic ? null : owner.Value);
            var method = kind.GetMethod(source, which, null, Type.EmptyTypes, null);
            Values.Hold(method != null, "there is no source", source);
            return (IEnumerable)method.Invoke(method.IsStatic ? null : owner.Value, null);
        }
        void Once(Type kind, MethodInfo body, object[] row, object expected) {
            var owner = kind.IsAbstract && kind.IsSealed || body.IsStatic && kind.GetConstructor(Type.EmptyTypes) == null ? null : Activator.CreateInstance(kind, true);
            Call(kind, owner, one => Marks<OneTimeSetUpAttribute>(one).Any());
            Call(kind, owner, one => Marks<SetUpAttribute>(one).Any() || Marks<TestInitializeAttribute>(one).Any());
            var parameters = body.GetParameters();
            if (row != null && parameters.Length == 1 && parameters[0].ParameterType == typeof(object[])) row = new object[] { row };
            if (row != null) row = row.Select((one, at) => one == null || at >= parameters.Length || parameters[at].ParameterType.IsInstanceOfType(one) || !(one is IConvertible) || Nullable.GetUnderlyingType(parameters[at].ParameterType) != null ? one : Convert.ChangeType(one, parameters[at].ParameterType)).ToArray();
            var wanted = Marks<ExpectedExceptionAttribute>(body).FirstOrDefault();
            try {
                var result = body.Invoke(owner, row);
                if (result is Task) { ((Task)result).Wait(); result = body.ReturnType.IsGenericType ? result.GetType().GetProperty("Result").GetValue(result, null) : null; }
                if (row != null && body.ReturnType != typeof(void) && body.ReturnType != typeof(Task)) Assert.AreEqual(expected, result);
            } catch (TargetInvocationException error) { if (wanted == null || error.InnerException is FailedException || !wanted.Kind.IsInstanceOfType(error.InnerException)) throw; wanted = null; }
            Values.Hold(wanted == null, "it threw nothing");
            Call(kind, owner, one => Marks<TearDownAttribute>(one).Any() || Marks<TestCleanupAttribute>(one).Any());
            if (owner is IDisposable) ((IDisposable)owner).Dispose();
        }
        void Call(Type kind, object owner, Func<MethodInfo, bool> which) { foreach (var one in kind.GetMethods(Any).Where(which)) one.Invoke(one.IsStatic ? null : owner, null); }
    }
    public static class Check {
        public static void That(bool held, params object[] m) { if (!held) Attempt.Counted("assert"); Values.Hold(held, "assert"); }
    }
    class Harness {
        [DllImport("libc")] static extern int dup(int fd);
        [DllImport("libc")] static extern int dup2(int from, int to);
        [DllImport("libc")] static extern int open(string path, int flags);
        [DllImport("libc")] static extern IntPtr write(int fd, byte[] from, IntPtr size);
        [DllImport("libc")] static extern void _exit(int code);
        static void Say(int channel, string nonce, int test, string status, string detail) {
            var text = new string((detail.Length > 200 ? detail.Substring(0, 200) : detail).Select(c => c < 32 || c > 126 || c == '"' || c == '\\' ? ' ' : c).ToArray());
            var line = Encoding.ASCII.GetBytes("\n" + nonce + " " + test + " " + status + " \"" + text + "\"\n");
            write(channel, line, (IntPtr)line.Length);
        }
        public static void Main() {
            var given = Console.In.ReadToEnd().Trim().Split(' ');
            int channel = dup(1), nothing = open("/dev/null", 2);
            dup2(nothing, 0);
            dup2(nothing, 1);
            string[][] tests = {
//TABLE
            };
            bool reversed = given[3] == "1";
            int first = int.Parse(given[2]);
            for (int step = first; step < tests.Length; step++) {
                int test = reversed ? tests.Length - 1 - (step - first) : step;
                var attempt = new Attempt("V" + given[1] + "." + tests[test][0], tests[test][1]);
                var thread = new Thread(attempt.Run, 64 << 20) { IsBackground = true };
                thread.Start();
                bool late = !thread.Join(6000);
                Say(channel, given[0], test, late ? "failed" : attempt.Status, late ? "timeout" : attempt.Detail);
                if (late) _exit(0);
            }
            _exit(0);
        }
    }
}
