#!/usr/bin/env bash
# Compares what a language model learns of mega-batches of text with the same in plain PyTorch.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/text_perplexity.sh --data FILE [--pairs N] [--short] [--core C] [--build FOLDER]

Builds a release, then trains the single model with two experts of sweeps/alma/text-tiny-a.yaml, with a learning rate of 0.003 and
without dropout, and the same in tests/bench/peer_text_perplexity.py, with seeds 0 to N - 1 on the same core: four
mega-batches of FILE, a text in UTF-8. Prints the perplexity of the evaluation chunk after the fourth of every run, the mean
of each program with its 95 % interval (Student), and whether either mean lies in the interval of the other program; exit
code 1 if not. The seeds divide the text in other ways in the two programs. Needs python3-torch.

  --data FILE     the text
  --pairs N       seeds (default 3)
  --short         a fifth of tinyshakespeare: 110 blocks, and 100 minibatches of a mega-batch instead of 500, of which the
                  rate rises over 10 instead of 50
  --core C        the core to run on (default: the last one)
  --build FOLDER  where to build (default: build/bench)
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
steps=500 rise=50 limit=0 characters=0
arguments=()
for argument in "$@"; do
    if [ "$argument" = --short ]; then
        # 3500 sequences of 64 are 110 blocks of 2048.
        steps=100 rise=10 limit=3500 characters=225280
    else
        arguments+=("$argument")
    fi
done
read_options --pairs 3 "${arguments[@]}"
[ -f "$data" ] || refuse "no text at '$data'; say --data FILE"
build_release engram
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# sweeps/alma/text/base.yaml and text-tiny-a.yaml
ours=(dataset=text dataset.file="$(realpath "$data")" dataset.vocabulary=128 dataset.block=2048 dataset.sequence=64
    "dataset.limit=$limit" stream=text_mega_batches "stream.steps=$steps" stream.batch=16 model=switch_transformer
    model.preset=tiny_a model.experts=2 optimizer=adam optimizer.lr=0.003 optimizer.beta1=0.9 optimizer.beta2=0.98 optimizer.epsilon=1e-8 optimizer.clip_norm=1
    optimizer.restart=phase optimizer.schedule=linear_warmup "optimizer.schedule.period=$rise" protocol=validation)

for ((seed = 0; seed < times; seed++)); do
    mine=$(pinned "$build/engram" train --quiet --json "${ours[@]}" seed="$seed" |
        awk -F '[:,] *' '/"final_perplexity"/ { print $2 }')
    theirs=$(pinned /usr/bin/python3 -B "$root/tests/bench/peer_text_perplexity.py" "$data" --steps "$steps" --warmup "$rise" \
        --characters "$characters" --seed "$seed" |
        awk '{ print $4 }')
    echo "$seed $mine $theirs" | tee -a "$scratch/all"
done
/usr/bin/python3 - "$scratch/all" <<'PYTHON'
import sys
from scipy import stats
import numpy as np

ours, theirs = np.loadtxt(sys.argv[1], ndmin=2).T[1:]


def interval(values):
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


inside = True
for name, values, other in (("engram", ours, theirs), ("peer", theirs, ours)):
    low, high = interval(values)
    holds = low <= other.mean() <= high
    inside &= holds
    print(f"{name}: perplexity {values.mean():.4f}, 95 % interval {low:.4f} to {high:.4f}, "
          f"which {'holds' if holds else 'does not hold'} the other mean")
sys.exit(0 if inside else 1)
PYTHON
