#!/usr/bin/env bash
# tests/test_submit.sh ENGRAM: jobs/submit.sh, `engram slurm` and `engram slurm-job` with a stand-in for Slurm: the
# scripts that are written, what is refused, and when a job goes back into the queue. The real one: e2e/slurm.sh.
set -euo pipefail
engram=$(realpath "${1:?usage: test_submit.sh ENGRAM}")
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/jobs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
cd "$work"
export ENGRAM=$engram
for name in "${!SLURM_@}"; do
    unset "$name"
done

fail() {
    echo "FAILED: $*; it said:" >&2
    cat out err >&2
    exit 1
}

# expect CODE WORDS COMMAND…: the words are in what it printed, wherever.
expect() {
    local code=$1 words=$2 got=0
    shift 2
    "$@" >out 2>err </dev/null || got=$?
    [ "$got" = "$code" ] || fail "$*: exit code $got, expected $code"
    grep -qF -- "$words" out err || fail "$*: expected '$words'"
}

has() {
    grep -qxF -- "$2" "$1" || fail "$1 has no line '$2': $(cat "$1")"
}

stand_in() {
    { echo '#!/usr/bin/env bash' && cat; } >"bin/$1"
    chmod +x "bin/$1"
}

cat >tiny.yaml <<'END'
name: tiny
protocol: test
base:
  dataset: {synthetic: {examples: 200, test_examples: 50}}
  model.hidden: [8]
grid:
  optimizer.lr: [0.003, 0.03]
seeds: 2
END

submit=$jobs/submit.sh
expect 2 "usage: engram slurm" "$submit"
expect 0 "Usage:" "$submit" --help
expect 2 "--nodes two: must be a whole number of at least 1" "$submit" --nodes two tiny.yaml
expect 2 "option --array needs a value" "$submit" --array
expect 2 "--launcher ssh: must be one of mpirun, srun" "$submit" --launcher=ssh tiny.yaml
expect 2 "unknown option -p" "$submit" -p big tiny.yaml
expect 2 "'--redo': after the sweep file" "$submit" tiny.yaml --redo failed
expect 2 "cannot read its sweep from standard input" "$submit" --dry-run -
# What is wrong with the sweep is found here, not after hours in a queue.
expect 2 "missing.yaml" "$submit" --dry-run missing.yaml
expect 2 "optimizer.lr" "$submit" --dry-run tiny.yaml optimizer.lr=fast
expect 2 "slice" "$submit" --dry-run --array 5 tiny.yaml
if ! command -v sbatch >/dev/null; then
    expect 2 "sbatch not found" "$submit" tiny.yaml
    [ ! -e results ] || fail "a directory although nothing was submitted"
fi

# The scripts: our directives replace those of the template, others are added, each is there once.
expect 0 "results/tiny.sbatch" "$submit" --dry-run --nodes 3 --ntasks-per-node=16 --time=12:00:00 \
    --account=physics --restarts 7 tiny.yaml "seeds=[1, 2]"
for line in --nodes=3 --ntasks-per-node=16 --time=12:00:00 --account=physics --job-name=tiny --requeue \
    --output=results/tiny.%j.log --open-mode=append --signal=B:USR1@180; do
    has out "#SBATCH $line"
done
[ -z "$(grep -o '^#SBATCH --[a-z-]*' out | sort | uniq -d)" ] || fail "a directive is there twice"
has out "exec $engram slurm-job --restarts=7 tiny.yaml 'seeds=[1, 2]'"
expect 0 "#SBATCH --array=1-4" "$submit" --dry-run --array 4 --ntasks-per-node=1 tiny.yaml -o there.h5
has out "#SBATCH --output=there.%A_%a.log"
has out "#SBATCH --dependency=afterany:JOB"
has out "exec $engram slurm-job tiny.yaml -o there.h5"
has out "exec $engram slurm-job --merge=4 tiny.yaml -o there.h5"
[ "$(grep -c '^#SBATCH --array' out)" = 1 ] || fail "the job that joins is an array, too"

# Submitting: the number of cores comes from the partition.
stand_in sbatch <<'END'
echo "$@" >>submitted
echo "17;cluster"
END
stand_in sinfo <<'END'
case $* in
*%P*) printf 'small\nlarge*\n' ;;
*large*) printf '2/16\n2/8\n2/16\n' ;;
*small*) printf '1/4\n' ;;
esac
END
stand_in scontrol <<'END'
echo "$@" >>asked
[ ! -e refuse ] || { echo "not allowed" >&2; exit 1; }
END
stand_in squeue <<'END'
echo 2030-01-02T03:04:05
END
PATH=$work/bin:$PATH
expect 0 "submitted job 17: tiny on 1 node(s)" "$submit" tiny.yaml
has submitted "--parsable results/tiny.sbatch"
has results/tiny.sbatch "#SBATCH --ntasks-per-node=16"
sh -n results/tiny.sbatch
# What must be quoted, is: for sbatch, and for the shell.
mkdir "it's here"
cp tiny.yaml "it's here"
expect 0 "submitted job 17" "$submit" "--comment=a \"b\" c" "it's here/tiny.yaml" -o "it's here/tiny.h5"
has "it's here/tiny.sbatch" "#SBATCH --output=\"it's here/tiny.%j.log\""
has "it's here/tiny.sbatch" '#SBATCH --comment="a \"b\" c"'
expect 2 "this is no job of Slurm" sh "it's here/tiny.sbatch"
expect 0 "squeue --jobs=17" "$submit" --partition=small tiny.yaml
has results/tiny.sbatch "#SBATCH --ntasks-per-node=4"
expect 2 "no node in partition 'none'" "$submit" --partition=none tiny.yaml
expect 0 "submitted array 17 (2 slices of tiny), and job 17" "$submit" --array=2 tiny.yaml
has results/tiny.array.sbatch "#SBATCH --array=1-2"
has results/tiny.merge.sbatch "#SBATCH --dependency=afterany:17"
expect 2 "cannot write to the directory no/such" "$submit" tiny.yaml -o no/such/file.h5
stand_in sbatch <<'END'
echo "sbatch: error: invalid partition" >&2
exit 1
END
expect 2 "sbatch refuses results/tiny.sbatch" "$submit" tiny.yaml
has err "sbatch: error: invalid partition"
"$engram" run tiny.yaml --quiet
expect 0 "tiny: all 4 trials are finished" "$submit" tiny.yaml

# The body of a job. What the ranks do in it: made-up ones save a checkpoint if `progress` is not 0, and rank 0
# says `code`.
expect 2 "this is no job of Slurm" "$engram" slurm-job tiny.yaml
stand_in srun <<'END'
shift 2 # --mpi=pmix ENGRAM
echo "ends at $SLURM_JOB_END_TIME: $*"
mkdir -p results/tiny.checkpoints
[ "$(cat progress)" = 0 ] || date +%N >results/tiny.checkpoints/saved
if [ -e cancel ]; then kill -TERM "$(cat cancel)"; sleep 1; fi
cat code >"$ENGRAM_EXIT_CODE_FILE"
END
# job_ends CODE PROGRESS WORDS [NAME=VALUE …]: how a job with such an engram ends, and what it says. What it
# asks of Slurm is in `asked`.
job_ends() {
    local code=$1 progress=$2 words=$3
    shift 3
    echo "$progress" >progress
    echo "$code" >code
    rm -f asked
    expect "$code" "$words" env SLURM_JOB_ID=17 "$@" \
        bash -c 'echo $$ >me; exec "$0" "$@"' "$engram" slurm-job --launcher=srun "${job_options[@]}" tiny.yaml seeds=3
}
job_options=()
job_ends 0 1 "run tiny.yaml seeds=3"
has out "ends at $(date --date 2030-01-02T03:04:05 +%s): run tiny.yaml seeds=3"
[ ! -e asked ] || fail "requeued although it had finished"
sed 's/ slurm-job / slurm-job --launcher=srun /' "it's here/tiny.sbatch" >quoted.sbatch
expect 0 "run it's here/tiny.yaml -o it's here/tiny.h5" env SLURM_JOB_ID=17 sh quoted.sbatch
job_ends 3 1 "start 1"
[ ! -e asked ] || fail "requeued although it had finished"
job_ends 2 0 "start 1"
[ ! -e asked ] || fail "requeued with bad input"
job_ends 75 1 "requeued"
has asked "requeue 17"
job_ends 4 1 "start 50" SLURM_RESTART_COUNT=49
has asked "requeue 17"
job_ends 75 0 "nothing was achieved since the start: not requeued"
[ ! -e asked ] || fail "requeued without progress"
job_ends 75 1 "restarted 50 times: not requeued" SLURM_RESTART_COUNT=50
[ ! -e asked ] || fail "requeued too often"
job_options=(--restarts 2)
job_ends 75 1 "restarted 2 times: not requeued" SLURM_RESTART_COUNT=2
job_options=()
touch refuse
job_ends 75 1 "Slurm does not requeue it; submit it again"
rm refuse
ln -s me cancel
job_ends 75 1 "cancelled; submit it again to continue"
[ ! -e asked ] || fail "requeued although it was cancelled"
rm cancel
# Its last start was on a host that is gone, and has left the lock: nobody else can have it. That of another
# job, or of a host where this one never was, stays.
for claim in "18 gone" "17 other"; do
    echo "$claim" >results/tiny.slurm
    echo "gone 123 456" >results/tiny.lock
    job_ends 0 1 "start 2" SLURM_RESTART_COUNT=1
    [ -e results/tiny.lock ] || fail "removed a lock although the last start was '$claim'"
done
echo "17 gone" >results/tiny.slurm
job_ends 0 1 "the lock of its last start, on another host, is removed" SLURM_RESTART_COUNT=1
[ ! -e results/tiny.lock ] || fail "did not remove the lock"
[ ! -e results/tiny.slurm ] || fail "left its mark behind"
job_ends 0 1 "run tiny.yaml seeds=3 --slice 2/3" SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=3
echo "all passed"
