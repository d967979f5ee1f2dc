my $HIDDEN;
{
    open(my $out, '>&', \*STDOUT) or die;
    my $before = select($out); $| = 1; select($before);
    my $hex = sub { my $text = "$_[0]"; utf8::encode($text); unpack("H*", $text) };
    my $text;
    $text = sub {
        my ($value, $depth) = @_;
        return "n" if !defined($value);
        my $kind = ref($value);
        return "s" . $hex->($value) . ";" if $kind eq "";
        return "o" . $hex->($kind) . ";" if $depth > 60;
        return "[" . join("", map { $text->($_, $depth + 1) } @$value) . "]" if $kind eq "ARRAY";
        return "o" . $hex->($kind) . ";" if $kind ne "HASH";
        return "{" . join("", map { $text->($_, $depth + 1) . $text->($value->{$_}, $depth + 1) } sort(keys(%$value))) . "}";
    };
    $HIDDEN = sub {
        my ($number, @values) = @_;
        local ($\, $,, $") = (undef, undef, " ");
        my $shown = @values > 1 ? "o" . $hex->("list") . ";" : $text->($values[0], 0);
        print {$out} "\nNONCE $number $shown\n";
    };
}
