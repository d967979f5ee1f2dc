HIDDEN() { LC_ALL=C builtin printf '\n%s %s %q\n' NONCE "$1" "$2"; }
