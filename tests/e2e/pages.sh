#!/usr/bin/env bash
# Manual pages and completions say what --help says. usage: pages.sh ENGRAM
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

mkdir man1
expect 0 "$engram" man --all man1
expect 0 "$engram" --help
mapfile -t verbs < <(sed -n '/^VERBS/,/^OPTIONS/s/^  \([a-z-]*\) .*/\1/p' out)
[ "${#verbs[@]}" -gt 15 ] || fail "--help lists ${#verbs[@]} verbs"
[ "$(find man1 -type f | wc -l)" = $((1 + ${#verbs[@]})) ] || fail "$(ls man1)"
# options VERB: the long names in its help page.
options() { "$engram" "$1" --help | sed -n '/^OPTIONS/,/^EXAMPLES/s/^  \(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' | sort; }
for verb in "${verbs[@]}"; do
    expect 0 "$engram" man "$verb"
    same out "man1/engram-$verb.1"
    sed -n 's/^\(\\fB\\-.\\fR, \)\{0,1\}\\fB\\-\\-\([a-z\\-]*\)\\fR.*/--\2/p' out | sed 's/\\-/-/g' | sort >in_man
    options "$verb" >in_help
    [ -s in_help ] || fail "no options in the help of $verb"
    same in_help in_man
done
if command -v groff >/dev/null; then
    for page in man1/*.1; do
        groff -man -Tutf8 -K utf8 -ww -z "$page" 2>warnings
        [ ! -s warnings ] || fail "$page: $(head -3 warnings)"
    done
    # What roff would take for itself is there to read: a word in a dash, a line that begins with a stop.
    groff -man -Tutf8 -K utf8 -P-cbu -rLL=500n man1/engram-run.1 >page
    has page "--checkpoint-every SECONDS"
    has page "name=value replaces the value of a setting"
fi
refuses "did you mean top" -- "$engram" man tpo
refuses "cannot be written" -- "$engram" man --all no/such
refuses "one of bash, zsh, fish" -- "$engram" completion tcsh
refuses "needs the name of a shell" -- "$engram" completion

# bash: verbs after the command, options after a dash, files elsewhere.
expect 0 "$engram" completion bash
cp out engram.bash
# completes WORD…: what the last word may become.
completes() {
    bash -c 'source ./engram.bash && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && _engram && printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$@"
}
[ "$(completes engram to)" = top ] || fail "to: $(completes engram to)"
[ "$(completes engram help lau)" = launch ] || fail "help lau"
[ "$(completes engram top --la)" = --latex ] || fail "top --la"
[ -z "$(completes engram top some)" ] || fail "files are left to the shell"
for verb in "${verbs[@]}"; do
    completes engram "$verb" -- | sed 's/=$//' | sort >completed
    options "$verb" >in_help
    same in_help completed
done

# zsh: with what its own functions are given written down.
expect 0 "$engram" completion zsh
cp out _engram
if command -v zsh >/dev/null; then
    cat >try.zsh <<'END'
_describe() { print -l -- "${(@P)2}" }
_arguments() { print -l -- "$@" }
words=(engram "$1" ""); CURRENT=$#words
[[ $1 == "" ]] && { words=(engram ""); CURRENT=2 }
source ./_engram
END
    expect 0 zsh -f try.zsh ""
    for verb in "${verbs[@]}"; do
        grep -q "^$verb:" out || fail "zsh does not know $verb"
    done
    expect 0 zsh -f try.zsh top
    has out "--latex[A table for LaTeX"
    has out "-n[How many points"
fi

expect 0 "$engram" completion fish
cp out engram.fish
if command -v fish >/dev/null; then
    expect 0 fish --no-config -c 'source engram.fish; complete -C "engram top --la"'
    has out "--latex"
    expect 0 fish --no-config -c 'source engram.fish; complete -C "engram to"'
    has out "top"
fi
