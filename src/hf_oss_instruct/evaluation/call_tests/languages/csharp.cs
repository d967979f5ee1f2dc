
static class HIDDEN {
    static string Hex(string text) {
        var all = new System.Text.StringBuilder();
        foreach (byte one in System.Text.Encoding.UTF8.GetBytes(text)) all.Append(one.ToString("x2"));
        return all.Append(';').ToString();
    }
    static string Other(object value) { return "o" + Hex(value.GetType().ToString()); }
    static string Real(double value) {
        if (double.IsNaN(value)) return "dnan;";
        if (double.IsInfinity(value)) return value > 0 ? "dinf;" : "d-inf;";
        return "d" + value.ToString("R", System.Globalization.CultureInfo.InvariantCulture) + ";";
    }
    // Tuples are equal to those of their own type, members by their own Equals; collections only to themselves.
    static string Text(object value) {
        if (value == null) return "n";
        if (value is bool) return (bool)value ? "t" : "f";
        if (value is string) return "s" + Hex((string)value);
        if (value is char) return "(s" + Hex("char") + "s" + Hex(value.ToString()) + ")";
        if (value is float || value is double) return Real(System.Convert.ToDouble(value));
        if (value is sbyte || value is byte || value is short || value is ushort || value is int || value is uint || value is long
            || value is ulong || value is System.Numerics.BigInteger) return "i" + value.ToString() + ";";
        var type = value.GetType();
        if (!type.IsGenericType || !type.FullName.StartsWith("System.Tuple`")) return Other(value);
        var all = "(s" + Hex(type.ToString());
        for (int at = 1; at <= type.GetGenericArguments().Length; at++) all += Text(type.GetProperty("Item" + at).GetValue(value, null));
        return all + ")";
    }
    static void Line(int number, string text) {
        var bytes = System.Text.Encoding.ASCII.GetBytes("\nNONCE " + number + " " + text + "\n");
        System.Console.Out.Flush();
        using (var output = System.Console.OpenStandardOutput()) output.Write(bytes, 0, bytes.Length);
    }
    public static void Print(int number, object value) { Line(number, Text(value)); }
    public static void PrintItems<T>(int number, System.Collections.Generic.IEnumerable<T> values) {
        if (values == null) { Line(number, "n"); return; }
        var all = new System.Text.StringBuilder("(s" + Hex(typeof(T).ToString()) + "[");
        foreach (T value in values) all.Append(Text(value));
        Line(number, all.Append("])").ToString());
    }
}
