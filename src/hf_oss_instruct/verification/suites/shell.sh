read -r nonce variant first reversed
exec 9>&1 </dev/null >/dev/null
order=($(seq "$first" $((COUNT - 1))))
if [ "$reversed" = 1 ]; then
    order=($(seq $((COUNT - 1)) -1 0))
fi
bash=$BASH
for name in NAMES; do
    cp "v$variant.sh" "$name"
    chmod +x "$name"
done
for test in "${order[@]}"; do
    read -r word < <(od -An -N16 -tx1 /dev/urandom | tr -d ' ')
    # The script comes through a pipe that nobody else has, and its last line only when all before it was read.
    script="exec 7<&-
HIDDEN_program=./v$variant.sh HIDDEN_bash=$bash
$(<"t$test.sh")
printf '%s' $word >&8"
    reply=$( (ulimit -St 2; exec timeout 6 "$bash" --norc --noprofile /dev/fd/7 7< <(printf '%s\n' "$script") 8>&1 >"err" 2>&1 </dev/null 9>&-) )
    if [ "$reply" = "$word" ]; then
        printf '\n%s %s passed ""\n' "$nonce" "$test" >&9
    elif [[ $reply == "skipped HIDDEN"* ]]; then
        printf '\n%s %s skipped ""\n' "$nonce" "$test" >&9
    else
        text=$(tail -c 200 err | tr -c ' -~' ' ' | tr '"\\' '  ')
        printf '\n%s %s failed "%s"\n' "$nonce" "$test" "$text" >&9
    fi
done
exit 0
