#!/usr/bin/env bash
# Bad input: one clear error that names file and position, exit code 2, nothing half-written.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

# bad PART… <<yaml: the sweep file bad.yaml is refused with every PART, by plan and by run, and leaves
# nothing behind.
bad() {
    cat >bad.yaml
    refuses bad.yaml "$@" -- "$engram" plan bad.yaml
    refuses bad.yaml "$@" -- "$engram" run bad.yaml -o bad.h5
    [ -z "$(find . -name 'bad.*' ! -name bad.yaml)" ] || fail "something was written: $(ls)"
}

refuses missing.yaml -- "$engram" run missing.yaml
refuses "needs a sweep file" -- "$engram" run
bad "empty" </dev/null
bad "" <<<"just some words"
bad ":2" <<<$'name: bad\n\tseeds: 2'
bad ":3" <<<$'name: bad\nseeds: [1, 2\ngrid: }'
bad ":3" "seeds" <<<$'name: bad\nseeds: 2\nseeds: 3'
bad ":2" "sedes" "seeds" <<<$'name: bad\nsedes: 2'
bad "optimiser" "optimizer" <<<$'name: bad\nbase: {optimiser: sgd}'
bad ":2" "optimizer.lr" <<<$'name: bad\nbase: {optimizer.lr: fast}'
bad ":2" "optimizer.lr" <<<$'name: bad\nbase: {optimizer.lr: -1}'
bad ":2" "finite" <<<$'name: bad\nbase: {optimizer.lr: .nan}'
bad ":2" "finite" <<<$'name: bad\nbase: {optimizer.lr: .inf}'
bad "beta1" "adagrad" <<<$'name: bad\nbase: {optimizer: adagrad, optimizer.beta1: 0.5}'
bad ":2" <<<$'name: bad\ngrid: {optimizer.lr: []}'
bad "1000000" <<<$'name: bad\ngrid:\n  optimizer.lr: {linspace: [0.1, 1, 100000]}\n  optimizer.clip: {linspace: [0.1, 1, 100000]}'
bad "lwta" "groups" <<<$'name: bad\nbase: {model.activation: {lwta: {groups: 7}}, model.hidden: [100]}'
bad "seeds" <<<$'name: bad\nseeds: -1'
bad "objective" <<<$'name: bad\nobjective: final_acuracy'

# Words on the command line.
sweep good <<'END'
seeds: 1
END
refuses "\"seeds\"" "name=value" -- "$engram" run good.yaml seeds
refuses "optimizer.lr" -- "$engram" run good.yaml optimizer.lr=fast
refuses "optimizer.rl" "optimizer.lr" -- "$engram" run good.yaml optimizer.rl=1
refuses "--scheduler" "shared, dedicated" -- "$engram" run good.yaml --scheduler none
refuses "--outptu" "--output" -- "$engram" run good.yaml --outptu=x.h5
refuses "needs a value" -- "$engram" run good.yaml -o

# Results files.
refuses "no/such" -- "$engram" run good.yaml -o no/such/place.h5
sweep other <<'END'
  optimizer: sgd
seeds: 1
END
"$engram" run good.yaml -o good.h5 --quiet
cp good.journal before.journal
refuses "good.h5" "other" -- "$engram" run other.yaml -o good.h5
same before.journal good.journal
if [ "$(id -u)" != 0 ]; then # root may write anywhere
    mkdir locked
    chmod 555 locked
    refuses "locked" -- "$engram" run good.yaml -o locked/good.h5
fi
refuses "proc" -- "$engram" run good.yaml -o /proc/good.h5
echo "not HDF5" >text.h5
refuses "text.h5" -- "$engram" run good.yaml -o text.h5
refuses "text.h5" -- "$engram" top text.h5

# Data files.
mkdir data
refuses "data" -- "$engram" run good.yaml -o x.h5 dataset=mnist dataset.path=data
for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    echo "rubbish" >"data/$name-ubyte"
done
refuses "data/train-" -- "$engram" run good.yaml -o x.h5 dataset=mnist dataset.path=data
[ -z "$(find . -name 'x.*')" ] || fail "something was written although the data are bad"

# train takes the same settings and says the same things.
refuses "optimizer.lr" -- "$engram" train dataset=synthetic optimizer.lr=fast
refuses "seed" -- "$engram" train dataset=synthetic seed=first
refuses "objective" -- "$engram" train dataset=synthetic objective=beauty
refuses "groups" -- "$engram" train dataset=synthetic model.activation=lwta model.activation.groups=7
echo passed
