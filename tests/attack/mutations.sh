#!/usr/bin/env bash
# Every reader of what others wrote gets inputs with damage in them, one command each: sweeps, tables of points, journals,
# results files, checkpoints, data files, words, the environment. Each command ends in bounded time with an answer or a refusal
# in words; no signal, no sanitizer's report. What was accepted and written is sound.
# shellcheck disable=SC2034,SC2317 # for support.sh; functions called by their names
about="Mutated inputs for every reader of engram, a command each; meant for a build with sanitizers."
short=500
full=6000
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

limit=120 # seconds for one command
mutate=$(dirname "$engram")/tests/attack_mutate
[ -x "$mutate" ] || fail "$mutate is not built; build the target attack"
tests=$(realpath "$here/..")
unset ENGRAM_DATA
export OPENBLAS_NUM_THREADS=1 # a thread that starts while leaks are looked for would be one

# What is damaged ---------------------------------------------------------------------------------------

# small NAME: a sweep; standard input is the rest of it.
small() {
    {
        printf 'name: %s\nprotocol: test\nbase:\n  dataset: {synthetic: {examples: 60, test_examples: 20}}\n' "$1"
        printf '  stream.batch: 20\n  model.hidden: [4]\n'
        cat
    } >"sound/$1.yaml"
}

mkdir sound
small small <<'END'
grid: {optimizer.lr: [0.01, 0.03]}
seeds: 2
END
small rules <<'END'
grid: {optimizer.lr: [0.01, 0.03]}
seeds: 2
stop: {asha: {eta: 2, first: 2}}
select: {best: 1, seeds: [7]}
END
small points <<'END'
points: table.csv
seeds: 1
END
printf 'optimizer,optimizer.lr,model.activation\nadam,1e-3,relu\nsgd,0.1,hard_ash\n"adam","2e-3",relu\n' >sound/table.csv
small many <<'END'
doc: everything that a sweep file can say
grid:
  optimizer: [sgd, adam]
  optimizer.lr: {logspace: [1e-5, 1e-2, 4]}
  model.activation: [{hard_ash: {alpha: [3, 4], z_k: [2.2, 2.3]}}, relu]
zip:
  pace: {stream.epochs: [2, 4], eval.every: [20, 10]}
when:
  - if: {optimizer: adam}
    grid: {optimizer.beta1: [0.9, 0.95]}
exclude: [{optimizer: sgd, optimizer.lr: {above: 0.001}}]
blocks:
  wide: {base: {model.hidden: 20, optimizer: adam}, grid: {optimizer.lr: [1e-4, 1e-3]}}
  drawn: {sample: {count: 5, method: halton, seed: 1, settings: {optimizer.lr: {loguniform: [1e-3, 1e-1]}}}}
seeds: 3
stop: {early_cut: {after: 2, below: 0.05}}
select: {best: 2, seeds: [11, 12]}
END
mapfile -t sweep_files < <(find "$work/sound" "$tests/fuzz/corpus/sweep" "$tests/../sweeps" -type f ! -name '*.csv' ! -name '*.md')
for name in small rules; do "$engram" run "sound/$name.yaml" -o "sound/$name.h5" --quiet; done
for part in train t10k; do
    { printf '\0\0\010\003\0\0\0\024\0\0\0\034\0\0\0\034' && head -c 15680 /dev/zero; } >sound/$part-images-idx3-ubyte
    { printf '\0\0\010\001\0\0\0\024' && printf '\0\1\2\3\4\5\6\7\10\11\0\1\2\3\4\5\6\7\10\11'; } >sound/$part-labels-idx1-ubyte
done
for part in data_batch_1 test_batch; do
    for label in 0 1 2 3 4 5 6 7 10 11 0 1; do
        printf '%b' "\\0$label" && head -c 3072 /dev/zero
    done >sound/$part.bin
done
cat >sound/rank.json <<'END'
{"trials": {"point": [0, 0, 1, 1], "status": ["done", "done", "done", "failed"], "stage": [1, 1, 1, 1],
 "selected": [0.5, 0.75, 0.25, null], "reported": [0.5, 0.5, 0.25, null]}, "goal": "maximise", "interval": "paper"}
END
# A trial that was stopped on its way, with its checkpoint, and what it gives without.
small saved <<'END'
  stream.epochs: 10
seeds: 1
END
"$engram" run sound/saved.yaml -o whole.h5 --quiet
write_stable whole >whole.stable
hooks saved "products 60" ENGRAM_HOOK_SIGNAL=15
"${hook[@]}" "$engram" run sound/saved.yaml -o sound/saved.h5 --quiet || [ $? = 75 ]
checkpoint=$(cd sound && echo saved.checkpoints/*)

# How it is given to a command -----------------------------------------------------------------------------

# damage KIND FILE [OUT]: FILE of `sound`, damaged by this input's seed, to the directory it is tried in; OUT in `damaged`.
damage() {
    damaged=${3-$(basename "$2")}
    "$mutate" "$1" $((seed * 1000003 + n)) "$2" "$damaged"
}

# one_of WORD…: one of them in `chosen`.
one_of() {
    pick $#
    chosen=${*:picked+1:1}
}

# try KIND command…: the verdict.
try() {
    local kind=$1
    shift
    bounded $limit "$@"
    verdict "$kind" "$damaged" out err
}

try_sweep() {
    pick ${#sweep_files[@]}
    damage text "${sweep_files[picked]}" s.yaml
    cp ../sound/table.csv .
    one_of --no-timing --list --json
    try "sweep file" "$engram" plan s.yaml "$chosen" --no-timing
}

try_points() {
    cp ../sound/points.yaml .
    damage text ../sound/table.csv
    try "table of points" "$engram" plan points.yaml --list
}

# try_results KIND NAME: some verb on NAME.*, here; what it wrote is sound.
try_results() {
    local kind=$1 name=$2 words verbs=(status "status --json" top "top --json --compare" "top --by forgetting" export
        "export --json" "export --table curves" "export --table matrix" failures "failures --json" check
        "plan $2.yaml --no-timing -o" collect "merge merged.h5" "run $2.yaml -q -o" "run $2.yaml -q seeds=3 -o"
        "run $2.yaml -q --redo all -o")
    one_of "${verbs[@]}"
    read -r -a words <<<"$chosen"
    try "$kind" "$engram" "${words[@]}" "$name.h5"
    case $chosen$code in
    collect0 | merge*0 | run*0)
        [ "${words[0]}" != merge ] || name=merged
        bounded $limit "$engram" check "$name.h5"
        # A journal that is damaged stays so; what was collected from it is what it has.
        [ "$code" = 0 ] || grep -q 'agree with the journal value by value' out || broke "$kind" "unsound after $chosen: $(head -1 err)$(head -1 out)" . out err
        ;;
    esac
}

some_results() {
    one_of small rules
    name=$chosen
    cp "../sound/$name".* .
}

try_journal() {
    some_results
    damage "$1" "../sound/$name.journal"
    pick 2
    [ "$picked" = 0 ] || rm "$name.h5"
    try_results "journal: $2" "$name"
}

try_h5() {
    some_results
    damage "$1" "../sound/$name.h5"
    pick 4
    [ "$picked" = 0 ] || rm "$name.journal"
    try_results "results file: $2" "$name"
}

try_checkpoint() {
    cp -r ../sound/saved.* .
    damage "$1" "../sound/$checkpoint" "$checkpoint"
    try "checkpoint: $2" "$engram" run saved.yaml -o saved.h5 --quiet
    [ "$1" != checkpoint ] || return 0 # with a right checksum it is another one, whatever is in it
    write_stable saved >saved.stable
    cmp -s ../whole.stable saved.stable || broke "checkpoint: $2" "other results" . ../whole.stable
}

try_data() {
    local set=$1
    shift
    cp ../sound/*ubyte ../sound/*.bin .
    one_of "$@"
    damage bytes "../sound/$chosen"
    pick 4
    if [ "$picked" = 0 ]; then
        gzip -f "$damaged"
        damage bytes "$damaged.gz" packed
        mv packed "$chosen.gz"
        damaged=$chosen.gz
    fi
    try "data: $set" "$engram" train "dataset=$set" dataset.path=. stream=iid stream.batch=5 'model.hidden=[4]' -q
}

try_rank() {
    damage text ../sound/rank.json
    # shellcheck disable=SC2016 # for that shell
    try rank bash -c 'exec "$0" rank <"$1"' "$engram" "$damaged"
}

# some_words: in `words`, words of a command, some damaged. None of them waits on purpose, or runs the data of a user.
vocabulary=(list describe train plan run launch slurm slurm-job status failures top export rank merge check collect help
    small.yaml small.h5 small.journal small none.yaml - . / -o x.h5 --slice 1/2 --redo all failed status=done id=00 -n -q --json
    --list --dry-run --checkpoint-every --progress json off line --scheduler dedicated shared --worker-timeout --max-losses
    --min-workers --until +1s --accept-data --by forgetting --table curves --stable -- --help --version optimizer.lr=0.1 seeds=2
    'seeds=[1,2]' stop=off 'only={optimizer.lr: 0.01}' select= name=x objective=forgetting 0 1 3 -1 99999999999999999999 1e999 nan
    '' '=' '=1' 'a=' $'\xff' $'\e[2J' '[' '{' '[[[[' "$(printf '%2000s' x)" dataset=synthetic 'model.hidden=[1]' stream.epochs=2
    adam optimizer --hosts --program /bin/true)
some_words() {
    local i number
    words=()
    pick 7
    number=$picked
    for ((i = 0; i < number; i++)); do
        one_of "${vocabulary[@]}"
        pick 4
        if [ "$picked" = 0 ]; then
            printf '%s' "$chosen" >word
            "$mutate" bytes $((seed * 1000003 + n * 8 + i)) word word.out
            chosen=$(tr -d '\0' <word.out)
        fi
        words+=("$chosen")
    done
    printf '%q ' "${words[@]}" >words.txt
    damaged=words.txt
}

try_words() {
    cp ../sound/small.* .
    some_words
    one_of list describe "plan small.yaml --no-timing" "run small.yaml" "status small" "failures small" "top small" "export small" \
        "merge m.h5" "check small" "collect small" "slurm small.yaml" ""
    # shellcheck disable=SC2086 # several words on purpose
    try "words of a command" "$engram" $chosen ${words[@]+"${words[@]}"}
}

try_launch() {
    cp ../sound/small.* .
    some_words
    pick 2
    if [ "$picked" = 0 ]; then
        words=(small.yaml -q -o launched.h5 "${words[@]:0:1}") # likely to start
        printf '%q ' "${words[@]}" >words.txt
    fi
    one_of "-n 2" "-n 1" "-n 0" "-n x" "--hosts" "--program /bin/false -n 2" "--program ./words.txt" "-n 2 --hosts a:1" \
        "--hosts ,:" ""
    # shellcheck disable=SC2086 # several words on purpose
    try "words of launch" "$engram" launch $chosen ${words[@]+"${words[@]}"}
    none_left 60 || broke "words of launch" "processes are left: $(started | tr '\n' ' ')" words.txt out err
}

try_environment() {
    local name value
    cp ../sound/small.* .
    one_of ENGRAM_DATA ENGRAM_RSH ENGRAM_EXIT_CODE_FILE OPENBLAS_NUM_THREADS OMP_NUM_THREADS OPENBLAS_CORETYPE SLURM_JOB_END_TIME \
        SLURM_STEP_NUM_TASKS SLURM_JOB_ID SLURM_ARRAY_TASK_ID SLURM_JOB_NUM_NODES SLURM_JOB_NODELIST TMPDIR HOME PATH LANG LC_ALL \
        COLUMNS TERM HDF5_USE_FILE_LOCKING HDF5_PLUGIN_PATH OMPI_MCA_btl_tcp_if_include MALLOC_ARENA_MAX NO_COLOR TZ
    name=$chosen
    one_of "" 0 1 -1 99999999999999999999 x / /dev/null /nonexistent . "$(printf '%5000s' y)" $'\xff\xfe' $'\e[2J' '%s%n' nan \
        1e999 C.UTF-8 'a=b' $'\n' 'nodes[1-' 'n[1-999999999]' Haswell Prescott
    value=$chosen
    one_of "run small.yaml -q -o e.h5" "launch -n 2 small.yaml -q -o e.h5" "status small" "slurm --dry-run small.yaml" \
        "plan small.yaml" "train dataset=mnist -q" "slurm-job small.yaml" "top small"
    printf '%s=%q engram %s\n' "$name" "$value" "$chosen" >words.txt
    damaged=words.txt
    # shellcheck disable=SC2086 # several words on purpose
    try environment /usr/bin/env "$name=$value" "$engram" $chosen
}

# The readers themselves, many inputs in one process: those of ../fuzz with changes that the suite does not make.
try_readers() {
    local target kind number
    for target in sweep settings idx checkpoint message journal results; do
        kind="fuzz_$target"
        bounded 1800 "$(dirname "$engram")/tests/$kind" "4@$((seed * 100))" "$tests/fuzz/corpus/$target"
        number=$(sed -n 's/ inputs$//p' out)
        verdict "$kind" out err
        tally[$kind]=${number:-1}
        [ "$code" != 0 ] || tally[$kind/accepted]=$number
    done
}

tries=(try_sweep try_sweep try_points "try_journal bytes bytes" "try_journal frames right_checksums" "try_h5 bytes bytes"
    "try_h5 footer right_checksum" "try_h5 bare no_checksum" "try_checkpoint bytes bytes" "try_checkpoint checkpoint right_checksum"
    "try_data mnist train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte"
    "try_data cifar10 data_batch_1.bin test_batch.bin" try_rank try_words try_words try_launch try_environment)
for ((n = 0; n < count; n++)); do
    rm -rf "$work/try"
    mkdir "$work/try"
    cd "$work/try"
    # shellcheck disable=SC2086 # the function and its words
    ${tries[n % ${#tries[@]}]}
done
cd "$work"
try_readers
conclude
