#!/usr/bin/env bash
# Plug-ins, compiled here against the headers: what is refused and in which words, what the conformance suite finds, and
# that a sweep with one is the same whatever the ranks. COMPILER, INCLUDE: as the command was built.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"
compiler=${2:?usage: plugins.sh ENGRAM COMPILER INCLUDE}
include=${3:?usage: plugins.sh ENGRAM COMPILER INCLUDE}
sources=$here/../data/plugins

# object NAME SOURCE [FLAG …]: NAME.so. Initialisers are overridden on purpose.
object() {
    "$compiler" -std=c17 -O1 -w -shared -fPIC -ffp-contract=off "-I$include" "${@:3}" "$sources/$2" -o "$1.so" -lm ||
        fail "$1.so does not compile"
}

# What it was built for: every field by its name, with both values.
object plain plain.c
expect 0 "$engram" list --plugin plain.so
has out "  twice "
has out "  down "
# differs FIELD EXPECTED FOUND FLAG
differs() {
    object other plain.c "$4"
    refuses "other.so: $1" "expected $2, found $3" -- "$engram" list --plugin other.so
}
differs "magic of engram_plugin" 656e6772616d3031 0000000000000007 "-DBUILD=.magic = 7,"
differs "version of engram_plugin" 1 9 "-DBUILD=.version = 9,"
refuses "other.so: version of engram_plugin: expected 1, found 9" -- "$engram" check other.so
size=$(printf '#include "engram/plugin.h"\nint size = sizeof(eg_plugin);\n' |
    "$compiler" -std=c17 "-I$include" -x c -S -o - - | sed -n 's/^[[:space:]]*\.\(long\|word\)[[:space:]]*//p' | head -1)
differs "size of engram_plugin" "$size" 8 "-DBUILD=.size = 8,"
differs "alignment of engram_plugin" 64 32 "-DBUILD=.alignment = 32,"
for part in parameter activation optimizer update schedule status; do
    object other plain.c "-DBUILD=.${part}_size = 3,"
    refuses "other.so: ${part}_size of engram_plugin: expected " ", found 3; build it" -- "$engram" list --plugin other.so
done
differs "real (the type eg_real) of engram_plugin" float unknown "-DBUILD=.real = 2,"
object double plain.c -DEG_REAL_DOUBLE
refuses "double.so: real (the type eg_real) of engram_plugin: expected float, found double (8 bytes)" -- \
    "$engram" list --plugin double.so
expect 0 "$engram" check double.so
has out "real: double, checked as such"

# What it is: no plug-in, code of the host that it must not need, a descriptor out of bounds (more in test_plugin.c).
object other plain.c -DNO_SYMBOL
refuses "other.so has no symbol engram_plugin: EG_PLUGIN of engram/plugin.h makes it" -- "$engram" check other.so
object other plain.c -DCALLS_HOST
refuses "other.so cannot be loaded" "undefined symbol: eg_fail" -- "$engram" list --plugin other.so
refuses "nowhere.so does not exist" -- "$engram" list --plugin nowhere.so
echo text >text.so
refuses "text.so is no shared object (ELF)" -- "$engram" list --plugin text.so
head -c 9000 plain.so >cut.so
refuses "cut.so is cut off, or damaged" -- "$engram" check cut.so
object other plain.c '-DPARAMETER=, .default_text = "20"'
refuses "other.so: activation twice: default of a parameter: slope = 20: must be at least 0 and at most 9" -- \
    "$engram" list --plugin other.so

# Names that exist: those of engram, and those of another plug-in; the same file again is no other.
object other plain.c '-DNAME="relu"'
refuses "other.so: activation relu exists already: engram has it" -- "$engram" list --plugin other.so
object other plain.c '-DNAME="thrice"'
refuses "other.so: optimizer down exists already: it is from plug-in " plain.so -- "$engram" list --plugin plain.so,other.so
cp plain.so copy.so
expect 0 "$engram" describe twice --plugin plain.so,copy.so
has out "activation:twice"
has out "slope"
refuses "nothing is called \"twice\"" -- "$engram" describe twice

# The suite finds what a component does against its descriptor, and survives whatever that is.
object faulty faulty.c
expect 0 "$engram" check faulty.so
has out "activation faulty: sound"
has out "optimizer rule: sound"
has out "schedule flat: sound"
# finds FAULT WORDS: and nothing else of the command's is touched.
finds() {
    FAULT=$1 refuses "faulty.so: $2" -- "$engram" check faulty.so
}
finds constructor "loading it: it crashes"
finds abort "activation faulty: forward, n = 1: it crashes"
finds exit "activation faulty: forward, n = 1: it ends the process"
finds exit7 "activation faulty: forward, n = 1: it crashes, as it does when it goes beyond an array (exit code 7)"
finds behind "activation faulty: forward, n = 1: it crashes"
finds before "activation faulty: it writes before the array y"
finds input "activation faulty: forward writes to x"
finds random "activation faulty: forward of the same x is not the same twice"
finds unset "activation faulty: forward of the same x is not the same twice, or leaves some of y or aux unset"
finds range "activation faulty: y = -1.54997 is not between low = -1 and high = 1"
finds nan "activation faulty: x = NaN at unit 0 of 1 gives y = 0 instead of NaN"
finds infinite "activation faulty: y or dx is not finite"
finds mixes "activation faulty: a unit depends on others, but mixes_units is not set"
finds gradient "activation faulty: backward gives dx = "
finds needs_x "activation faulty: spares_input, but backward depends on x"
finds slots "optimizer rule: slots_with gives 9, more than 3"
finds slot "optimizer rule: first update, n = 1: it crashes"
finds together "optimizer rule: an update in two parts is not that in one"
finds clip "optimizer rule: a weight changes by "
finds scale "optimizer rule: update with scale: w = "
finds penalty "optimizer rule: update with a penalty: w = "
finds path "optimizer rule: path_integral is "
finds composed "optimizer rule: update of composed weights: w = "
finds negative "schedule flat: rate = -0.01 after 139 updates"
# A limit is reached however slow the machine: what it ends would go on for ever.
FAULT=spin refuses "it does not come to an end within 1 seconds" -- "$engram" check --seconds 1 faulty.so
FAULT="sleep" refuses "it does not come to an end within 1 seconds" -- "$engram" check --seconds 1 faulty.so
sweep small </dev/null
expect 0 "$engram" run small.yaml -o small.h5 --quiet
refuses "--seconds is for plug-ins" -- "$engram" check --seconds 1 small.h5
# A slip of 0.01 % shows in doubles only.
object fine faulty.c -DEG_REAL_DOUBLE
FAULT=slightly refuses "activation faulty: backward gives dx = " -- "$engram" check fine.so
FAULT=slightly expect 0 "$engram" check faulty.so

# A sweep with one, whose path is relative to the sweep file.
mkdir -p sweeps/lib
cp plain.so sweeps/lib/
sweep extended <<'END'
  optimizer: {down: {lr: 0.05}}
grid:
  model.activation: [relu, {twice: {slope: [0.5, 1.5]}}]
seeds: 2
plugins: lib/plain.so
END
mv extended.yaml sweeps/
tables() {
    local table
    for table in trials curves matrix; do
        "$engram" export "$1" --stable --table "$table"
    done
}
expect 0 "$engram" plan sweeps/extended.yaml --no-timing
expect 0 "$engram" run sweeps/extended.yaml -o one.h5 --quiet
tables one.h5 >one.txt
expect 0 "$mpirun" 2 "$engram" run sweeps/extended.yaml -o two.h5 --quiet
tables two.h5 >two.txt
same one.txt two.txt
expect 0 "$engram" run sweeps/extended.yaml -o one.h5
has out "all 6 trials were finished before, nothing to run"
# Without the plug-in results can be read, and the sweep cannot be run.
expect 0 "$engram" top one.h5
has out twice
grep -v plugins sweeps/extended.yaml >sweeps/without.yaml
refuses "without.yaml:" down -- "$engram" run sweeps/without.yaml -o none.h5
expect 0 "$engram" plan sweeps/without.yaml plugins=sweeps/lib/plain.so --no-timing
sed 's/plain.so/gone.so/' sweeps/extended.yaml >sweeps/gone.yaml
refuses "sweeps/gone.yaml:11:10: plug-in " "sweeps/lib/gone.so does not exist" -- "$engram" plan sweeps/gone.yaml

# An included file has plug-ins of its own, beside it.
printf 'plugins: lib/plain.so\n' >sweeps/shared.yaml
printf 'include: sweeps/shared.yaml\nname: including\nbase: {model.activation: twice}\nseeds: 1\n' >including.yaml
expect 0 "$engram" plan including.yaml --no-timing

# The file is part of the ids of the trials that use it, and of no others; the results say which it was.
ids() {
    "$engram" plan --list --json "$@" | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p'
}
sweep partly <<'END'
grid: {model.activation: [relu, twice]}
plugins: plain.so
END
sweep never <<'END'
grid: {model.activation: [relu, tanh]}
END
ids partly.yaml >before
cp plain.so kept.so
printf x >>plain.so # other bytes, the same code
ids partly.yaml >after
[ "$(wc -l <before)" = 2 ] || fail "$(wc -l <before) ids"
[ "$(head -1 before)" = "$(head -1 after)" ] || fail "the id of a trial that does not use the plug-in changed"
[ "$(tail -1 before)" != "$(tail -1 after)" ] || fail "the id of a trial that uses the plug-in is that of another file"
[ "$(ids never.yaml | head -1)" = "$(head -1 before)" ] || fail "a plug-in changes ids of built-in components"
sweep only <<'END'
  model.activation: twice
plugins: kept.so
END
expect 0 "$engram" run only.yaml -o only.h5 --quiet
printf y >>kept.so
refuses "only.h5 belongs to another sweep: no combination of settings and seed is in both" "or of a plug-in" -- \
    "$engram" run only.yaml -o only.h5
cp sweeps/lib/plain.so plain.so
strings -a one.h5 >words
grep -q 'plug-in .*/sweeps/lib/plain.so [0-9a-f]\{16\}' words || fail "the results do not name the plug-in"

# Another file at a rank that trains ends the sweep with one error: here each rank has its own in its working directory,
# and rank 0 only schedules.
mkdir rank.0 rank.1
cp plain.so rank.0/
cp plain.so rank.1/
printf x >>rank.1/plain.so
sed 's#lib/plain.so#/proc/self/cwd/plain.so#' sweeps/extended.yaml >each.yaml
cat >each.sh <<END
cd "$work/rank.\$OMPI_COMM_WORLD_RANK"
exec "$engram" run ../each.yaml -o ../each.h5 --quiet --scheduler dedicated
END
expect 2 "$mpirun" 2 bash each.sh
has err "another plug-in than at rank 0: /proc/self/cwd/plain.so has hash "
[ "$(grep -c '^engram: ' err)" = 1 ] || fail "not one error"
rm rank.1/plain.so
expect 2 "$mpirun" 2 bash each.sh
has err "rank 1 on host "
has err "plug-in /proc/self/cwd/plain.so does not exist"
cp plain.so rank.1/
expect 0 "$mpirun" 2 bash each.sh
tables each.h5 >each.txt
same one.txt each.txt

# One trial, its weights, and what they predict.
small=(dataset=synthetic dataset.examples=100 dataset.test_examples=40 model.hidden=[8])
expect 0 "$engram" train --plugin plain.so "${small[@]}" optimizer=down model.activation=twice --save net.h5 --json
has out '"model.activation": "twice"'
refuses twice -- "$engram" predict net.h5
expect 0 "$engram" predict net.h5 --plugin plain.so
