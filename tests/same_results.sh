#!/usr/bin/env bash
# Compares the results of this checkout's build with those of an older commit's; see --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

usage() {
    cat <<'HELP'
Usage: tests/same_results.sh [--quick] [--build FOLDER] [--data FOLDER] OLD-COMMIT

Builds OLD-COMMIT and this checkout, runs the same sweeps with both, and compares what `engram export --stable` writes of
trials, curves and matrices byte for byte. The sweeps are those of OLD-COMMIT in sweeps/, each cut down to seconds
(seeds=1, one epoch, 1200 examples), the quickstart as it is, and those of tests/data/same_results: all learners x
optimizers x activations, all settings away from their defaults, stopping rules. Then `engram run` of the new build is
given the old build's files and must keep every finished trial.

  --quick         only tests/data/same_results and the quickstart cut down: half a minute
  --build FOLDER  where this checkout is built (default: build/release)
  --data FOLDER   the folder with mnist/ (default: $ENGRAM_DATA, or data)

The old build and its results are kept in ${XDG_CACHE_HOME:-~/.cache}/engram/same-results, by commit, processor, compiler
and the sweeps above, for every clone of this machine.

A variable whose documented definition has changed on purpose (`engram describe flops`) is not compared for the learners
that do more than one pass per example; the script says so. A setting that came after OLD-COMMIT has a column of its own,
which is left out where every row has the same, its default.

Exit codes: 0 the same; 1 they differ, the first lines that do are printed; 2 it could not be run.
HELP
}

quick=false
build=build/release
data=${ENGRAM_DATA:-data}
commit=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --quick) quick=true && shift ;;
    --build) build=$2 && shift 2 ;;
    --data) data=$2 && shift 2 ;;
    -*) echo "same_results.sh: unknown option '$1'" >&2 && exit 2 ;;
    *) commit=$1 && shift ;;
    esac
done

give_up() {
    echo "same_results.sh: $*" >&2
    exit 2
}

[ -n "$commit" ] || give_up "which commit has the old results? See --help"
commit=$(git rev-parse --verify --quiet "$commit^{commit}") || give_up "there is no such commit"
[ -e "$data/mnist" ] || give_up "there is no $data/mnist; jobs/fetch-data.sh mnist"
data=$(realpath "$data")

# One name and arguments of `engram run` per line. Sweeps are those of the old commit: newer ones may need the new build.
list_sweeps() {
    local path name smoke="seeds=1 dataset.limit=1200 stream.epochs=1"
    for path in families variants selection; do
        echo "$path small/$path.yaml"
    done
    echo "quickstart-short sweeps/quickstart.yaml $smoke"
    if $quick; then
        return
    fi
    for path in "$old"/source/sweeps/*/*.yaml; do
        name=${path#"$old"/source/sweeps/}
        case $name in
        */base.yaml) continue ;;
        hard-ash/permuted-*) set -- stream.tasks=3 ;;
        # All pairs of activation and optimizer are in table3-smoke.
        hard-ash/table3.yaml) set -- "only={optimizer:\ adagrad}" dataset.limit=600 ;;
        hard-ash/table7-adam-bias.yaml) set -- model.activation.alpha=4 model.activation.z_k=2.3 ;;
        *) set -- ;;
        esac
        name=${name%.yaml}
        echo "${name//\//-} sweeps/$name.yaml $smoke${1:+ $*}"
    done
    echo "quickstart sweeps/quickstart.yaml"
}

# What may change the bits of a result without a change in engram, and what is asked of it.
key=$({
    grep -m 1 'model name' /proc/cpuinfo
    cc --version
    echo "${OPENBLAS_CORETYPE-}"
    pkg-config --modversion openblas
    declare -f list_sweeps
    cat tests/data/same_results/*.yaml
} | sha256sum | cut -c 1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/engram/same-results
old=$cache/${commit:0:12}
kept=$old/$key
mkdir -p "$kept"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$data" "$work/data"
ln -s "$root/tests/data/same_results" "$work/small"
ln -s "$old/source/sweeps" "$work/sweeps"

# compile SOURCE FOLDER: the command alone, as users build it.
compile() {
    if ! { cmake -S "$1" -B "$2" -G Ninja -D CMAKE_BUILD_TYPE=Release &&
        cmake --build "$2" --target engram; } >"$work/build.log" 2>&1; then
        tail -n 40 "$work/build.log" >&2
        give_up "cannot build $1"
    fi
}

# run_sweeps ENGRAM FOLDER: all sweeps into FOLDER, as many at a time as there are cores; one whose file is there, whole,
# is not run again.
run_sweeps() {
    # shellcheck disable=SC2016 # for the inner shell
    list_sweeps | (cd "$work" && OPENBLAS_NUM_THREADS=1 xargs -P "$(nproc)" -L 1 bash -c '
        set -euo pipefail
        engram=$0 out=$1 name=$2
        shift 2
        [ ! -e "$out/$name.done" ] || exit 0
        rm -rf "$out/$name".*
        code=0
        "$engram" run -q -o "$out/$name.h5" "$@" >"$out/$name.log" 2>&1 || code=$?
        # 3: some trials diverged or failed, which are results too
        [ "$code" = 0 ] || [ "$code" = 3 ] || {
            cat "$out/$name.log" >&2
            echo "same_results.sh: engram run $* ended with $code" >&2
            exit 255
        }
        touch "$out/$name.done"' "$1" "$2") || give_up "a sweep could not be run with $1"
}

# For awk.
split_csv='
    # The fields of a CSV line, quotes and commas in them kept; returns their number.
    function split_csv(line, field, i, c, n, quoted) {
        n = 1
        field[1] = ""
        for (i = 1; i <= length(line); i++) {
            c = substr(line, i, 1)
            if (c == "\"") {
                quoted = !quoted
            }
            if (c == "," && !quoted) {
                field[++n] = ""
            } else {
                field[n] = field[n] c
            }
        }
        return n
    }
'

# hide_flops: what `flops` counts was redefined for learners that go through examples more often than once per step.
hide_flops() {
    awk "$split_csv"'
    {
        n = split_csv($0, value)
        for (i = 1; NR == 1 && i <= n; i++) {
            place[value[i]] = i
        }
        if (NR > 1 && place["flops"] && value[place["learner"]] ~ /^(ewc|online_ewc|mas|replay)$/) {
            value[place["flops"]] = "not compared"
        }
        text = value[1]
        for (i = 2; i <= n; i++) {
            text = text "," value[i]
        }
        print text
    }'
}

# without_new_columns OLD.csv <NEW.csv: a setting that came later has a column that the old build does not have. It is
# left out if it says the same (its default, or nothing) in every row.
without_new_columns() {
    awk -v old_header="$(head -n 1 "$1")" "$split_csv"'
    BEGIN {
        for (i = split_csv(old_header, names); i >= 1; i--) {
            known[names[i]] = 1
        }
    }
    {
        line[NR] = $0
        n = split_csv($0, value)
        for (i = 1; i <= n; i++) {
            if (NR == 1) {
                added[i] = !(value[i] in known)
            } else if (added[i] && value[i] != "") {
                added[i] = !(i in first) || first[i] == value[i]
                first[i] = value[i]
            }
        }
    }
    END {
        for (r = 1; r <= NR; r++) {
            n = split_csv(line[r], value)
            text = ""
            for (i = 1; i <= n; i++) {
                if (!added[i]) {
                    text = text "," value[i]
                }
            }
            print substr(text, 2)
        }
    }'
}

# without_moved LIST: of trials whose numbers are in the file LIST only number and id are left.
without_moved() {
    awk -F, 'NR == FNR { moved[$1] = 1; next } $1 in moved { print $1 "," $2; next } { print }' "$1" -
}

# differs NAME OLD NEW: exports each file with the build that made it and prints what differs.
differs() {
    local table found=1
    : >"$work/moved"
    if $single_moved; then
        "$old_engram" export --stable "$2" | awk "$split_csv"'
            { n = split_csv($0, value) }
            NR == 1 { for (i = 1; i <= n; i++) place[value[i]] = i }
            NR > 1 && value[place["stream.batch"]] == 1 { print value[1] }' >"$work/moved"
    fi
    if $exact_moved; then
        "$old_engram" export --stable "$2" | awk -F, '/,(ewc|online_ewc),/ && /,exact,/ { print $1 }' >>"$work/moved"
    fi
    for table in trials curves matrix; do
        "$old_engram" export --stable --table "$table" "$2" | "${filter[@]}" | without_moved "$work/moved" >"$work/old.csv"
        "$new_engram" export --stable --table "$table" "$3" | without_new_columns "$work/old.csv" |
            "${filter[@]}" | without_moved "$work/moved" >"$work/new.csv"
        cmp -s "$work/old.csv" "$work/new.csv" || {
            echo "DIFFERENT: $1, table $table: $(diff "$work/old.csv" "$work/new.csv" | grep -c '^>') of" \
                "$(wc -l <"$work/new.csv") lines (< old, > new)"
            diff "$work/old.csv" "$work/new.csv" | head -n 6 | cut -c 1-600
            found=0
        }
    done
    return $found
}

# continues NAME RUN-ARGUMENTS…: a copy of the old file, given to `engram run` of the new build. If a trial ran again, its
# times and its attempt would differ.
continues() {
    local name=$1 code=0
    shift
    cp "$kept/$name.h5" "$kept/$name.journal" "$work/new/"
    (cd "$work" && "$new_engram" run -q -o "new/$name.h5" "$@") >"$work/continued.log" 2>&1 || code=$?
    "$new_engram" export "$kept/$name.h5" >"$work/old.csv"
    "$new_engram" export "$work/new/$name.h5" | without_new_columns "$work/old.csv" >"$work/new.csv"
    if { [ "$code" != 0 ] && [ "$code" != 3 ]; } || ! cmp -s "$work/old.csv" "$work/new.csv"; then
        echo "DIFFERENT: $name: engram run on the old build's results did not keep them (exit code $code)"
        head -n 8 "$work/continued.log"
        diff "$work/old.csv" "$work/new.csv" | head -n 6 | cut -c 1-600
        return 1
    fi
}

echo "new: $(git describe --always --dirty) in $build"
compile "$root" "$build"
new_engram=$(realpath "$build")/engram
old_engram=$old/build/engram
exec 9>"$cache/lock"
flock 9
if [ ! -e "$old/built" ]; then
    echo "old: building $commit in $old"
    rm -rf "$old/source" "$old/build"
    mkdir -p "$old/source"
    git archive "$commit" | tar -x -C "$old/source"
    compile "$old/source" "$old/build"
    touch "$old/built"
fi
run_sweeps "$old_engram" "$kept"
flock -u 9
mkdir "$work/new"
run_sweeps "$new_engram" "$work/new"

# Results that moved on purpose, once: told by what `describe` says of them.
exact_words="summed over the classes first"
filter=(cat)
if ! cmp -s <("$old_engram" describe flops) <("$new_engram" describe flops); then
    echo "note: what flops counts was redefined; it is not compared for ewc, online_ewc, mas and replay"
    filter=(hide_flops)
fi
single_words="of which 1 has kernels of its own"
single_moved=false
if "$new_engram" describe stream.batch | grep -q "$single_words" &&
    ! "$old_engram" describe stream.batch | grep -q "$single_words"; then
    echo "note: minibatches of one have kernels of their own, which round differently; of such trials only the ids are compared"
    single_moved=true
fi
exact_moved=false
if "$new_engram" describe ewc | grep -q "$exact_words" && ! "$old_engram" describe ewc | grep -q "$exact_words"; then
    echo "note: exact Fisher information is summed in another order; of its trials only the ids are compared"
    exact_moved=true
fi
different=0
sweeps=0
while read -r name arguments; do
    sweeps=$((sweeps + 1))
    ! differs "$name" "$kept/$name.h5" "$work/new/$name.h5" || different=$((different + 1))
    rm -rf "$work/new/$name".*
    eval "set -- $arguments"
    continues "$name" "$@" || different=$((different + 1))
done < <(list_sweeps)
if [ "$different" != 0 ]; then
    echo "$different differences in $sweeps sweeps"
    exit 1
fi
echo "the same: $sweeps sweeps of ${commit:0:12}, and its files are continued with nothing run again"
