#!/usr/bin/env bash
# Compares training steps of the transformer over tokens with plain PyTorch, on one core.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: tests/bench/text.sh [--pairs N] [--core C] [--build FOLDER] [case …]

Builds a release, then runs tests/bench/transformer.c and tests/bench/peer_text.py alternately on the same core, one thread each.
Prints per case the median processor time of a training step (forward, loss of all positions, backward, bound on the
norm, Adam), the ratio of the medians with the smallest and largest ratio of a pair, and the largest resident memory of
each. Then a Switch layer of 8 experts beside the dense feed-forward block, of equal tokens: the least times over many
rounds, in turns. Tokens are drawn: times do not depend on what they say. Needs python3-torch.

  --pairs N       runs of each program per case (default 5)
  --core C        the core to run on (default: the last one)
  --build FOLDER  where to build (default: build/bench)

Cases: tiny_a tiny_a_experts tiny_b_large switch (default: all). tiny_a is the base network of width 64 without mixtures,
minibatches of 16 x 64 tokens; tiny_a_experts the same with 4 experts; tiny_b_large that of width 128 with 4 layers and 4
experts, 16 x 128 tokens.
HELP
}

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
read_options --pairs 5 "$@"
if [ ${#cases[@]} -eq 0 ]; then
    cases=(tiny_a tiny_a_experts tiny_b_large switch)
fi
build_release bench_text
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Sets `ours` (settings), `theirs` (arguments of the peer) and how many steps are timed.
describe() {
    case $1 in
    tiny_a)
        ours=(model.preset=tiny_a model.experts=1)
        theirs=()
        steps=60
        ;;
    tiny_a_experts)
        ours=(model.preset=tiny_a model.experts=4)
        theirs=(--experts 4)
        steps=60
        ;;
    tiny_b_large)
        ours=(model.preset=tiny_b_large model.experts=4 positions=128)
        theirs=(--width 128 --layers 4 --experts 4 --positions 128)
        steps=15
        ;;
    *) refuse "unknown case '$1'" ;;
    esac
}

run_pair() {
    echo "$(pinned "$build/tests/bench_text" step "$steps" "$1" "${ours[@]}")" \
        "$(pinned /usr/bin/python3 "$root/tests/bench/peer_text.py" --steps "$steps" --seed "$1" "${theirs[@]}")"
}

echo "core $core, $times pairs; processor time of a training step in milliseconds, memory in MB"
printf '%-15s %9s %9s  %-22s %8s %8s\n' case engram peer 'ratio (min - max)' memory peer
for name in "${cases[@]}"; do
    if [ "$name" = switch ]; then
        continue
    fi
    describe "$name"
    : >"$scratch/$name"
    for ((seed = 0; seed < times; seed++)); do
        run_pair "$seed" >>"$scratch/$name"
    done
    awk -v name="$name" '
        function median(list, n, i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
        }
        { n++; ours[n] = $1; memory[n] = $2; peer[n] = $3; peer_memory[n] = $4; ratio[n] = $3 / $1 }
        END {
            r = median(ratio, n)
            printf "%-15s %9.2f %9.2f  %-22s %8.0f %8.0f\n", name, 1e3 * median(ours, n), 1e3 * median(peer, n),
                sprintf("%.2f (%.2f - %.2f)", r, ratio[1], ratio[n]), median(memory, n), median(peer_memory, n)
        }' "$scratch/$name"
done
if [[ " ${cases[*]} " = *" switch "* ]]; then
    pinned "$build/tests/bench_text" switch 200 | awk '{
        printf "Switch layer of 8 experts, width %d, %d tokens: %.2f ms, dense %.2f ms, ratio %.2f\n", $1, $2, 1e3 * $3,
            1e3 * $4, $3 / $4
    }'
fi
