my $HIDDEN;
$HIDDEN = sub {
    my ($actual, $expected) = @_;
    return !CORE::defined($actual) && !CORE::defined($expected) if !CORE::defined($actual) || !CORE::defined($expected);
    my $kind = CORE::ref($expected);
    return 0 if CORE::ref($actual) ne $kind;
    return "$actual" eq "$expected" if $kind eq "";
    if ($kind eq "ARRAY") {
        return 0 if @$actual != @$expected;
        for my $at (0 .. $#$expected) { return 0 if !$HIDDEN->($actual->[$at], $expected->[$at]); }
        return 1;
    }
    return 0 if $kind ne "HASH" || CORE::keys(%$actual) != CORE::keys(%$expected);
    for my $key (CORE::keys(%$expected)) {
        return 0 if !CORE::exists($actual->{$key}) || !$HIDDEN->($actual->{$key}, $expected->{$key});
    }
    return 1;
};
