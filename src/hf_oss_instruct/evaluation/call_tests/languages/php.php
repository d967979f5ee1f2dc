function HIDDEN_text($value, $depth) {
    if ($value === null) return "n";
    if (\is_bool($value)) return $value ? "t" : "f";
    if (\is_int($value)) return "i$value;";
    if (\is_float($value)) return "d" . \var_export($value, true) . ";";
    if (\is_string($value)) return "s" . \bin2hex($value) . ";";
    if (!\is_array($value) || $depth > 60) return "o" . \bin2hex(\get_debug_type($value)) . ";";
    $list = \array_is_list($value);
    $all = "";
    foreach ($value as $key => $one) $all .= ($list ? "" : HIDDEN_text($key, $depth + 1)) . HIDDEN_text($one, $depth + 1);
    return $list ? "[$all]" : "{{$all}}";
}
function HIDDEN($number, $value) {
    $line = "\nNONCE $number " . HIDDEN_text($value, 0) . "\n";
    while ($line !== "") $line = \substr($line, \fwrite(\STDOUT, $line));
}
