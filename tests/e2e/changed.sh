#!/usr/bin/env bash
# A sweep that was edited says so and runs what is new; one that is finished needs no data any more; chosen
# trials run again.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

sweep s <<'END'
grid:
  optimizer.lr: [0.003, 0.03]
seeds: 2
END
expect 0 "$engram" run s.yaml
lacks err "the sweep was changed"
expect 0 "$engram" run s.yaml
lacks err "the sweep was changed"

# More seeds, another value, one value less.
expect 0 "$engram" run s.yaml seeds=3
has err "the sweep was changed since its last run: 2 of its 6 trials are new"
sed 's/0.003, 0.03/0.03, 0.1/' s.yaml >edited.yaml
expect 0 "$engram" run edited.yaml
has err "2 of its 4 trials are new, 4 trials are not in it any more (finished ones stay in the file)"
has err "optimizer.lr has now 0.1 and no longer 0.003"
has err "2 of 4 trials were finished before, 2 to run"
expect 0 "$engram" run s.yaml seeds=3
has out "all 6 trials were finished before"
# Nothing but words.
sed -i '1a doc: the same trials' s.yaml
expect 0 "$engram" run s.yaml seeds=3
lacks err "the sweep was changed"

# Chosen trials again: the results are the same, the attempts are counted.
"$engram" export results/s.h5 --stable >before.csv
expect 0 "$engram" run s.yaml seeds=3 --redo status=done
has err "6 trials to run"
has out "6 trials ran again; what they recorded before is the same"
"$engram" export results/s.h5 --stable >after.csv
same before.csv after.csv
expect 0 "$engram" failures results/s.h5
has out "6 retried: needed more than one attempt"
expect 0 "$engram" run s.yaml seeds=3
lacks out "ran again"

# Asked for another measure, finished trials run again once: same ids, and all else is the same.
"$engram" export results/s.h5 --stable --table curves >before-curves.csv
expect 0 "$engram" plan s.yaml seeds=3 'measures=[default, online]' -o results/s.h5
has out "0 of 6 trials finished"
expect 0 "$engram" run s.yaml seeds=3 'measures=[default, online]'
has err "6 finished trials lack what \`measures\` asks for, and run again"
has out "6 trials ran again for their measures; what they recorded before is the same"
"$engram" export results/s.h5 --stable --table curves >after.csv
same before-curves.csv after.csv
expect 0 "$engram" export results/s.h5 --stable --json
[ "$(grep -o '"mean_online_accuracy": *0\.[0-9]' out | wc -l)" = 6 ] || fail "online accuracy is missing"
expect 0 "$engram" export results/s.h5 --table series
has out ",online_accuracy,bin,0,0."
[ "$(grep -c ",online_loss,bin,4," out)" = 6 ] || fail "bins are missing"
expect 0 "$engram" run s.yaml seeds=3 'measures=[default, online]'
has out "all 6 trials were finished before"
expect 0 "$engram" run s.yaml seeds=3
has out "all 6 trials were finished before"
expect 0 "$engram" check results/s.h5

refuses "--redo status=skipped" -- "$engram" run s.yaml --redo status=skipped

# A stream that makes its examples itself needs no data, and has nothing to evaluate on.
cat >o.yaml <<'END'
name: o
base: {stream: bit_flipping, stream.batch: 1, stream.examples: 400, loss: squared_error, dataset.path: nowhere}
objective: {variable: mean_online_loss, goal: minimise}
grid: {optimizer.lr: [0.001, 0.01]}
END
expect 0 "$engram" plan o.yaml
expect 0 "$engram" run o.yaml
has out "selected on mean_online_loss of training data, lowest first"
expect 0 "$engram" export results/o.h5
lacks out "dataset"
refuses "'final_accuracy' is not recorded" -- "$engram" run o.yaml objective=final_accuracy

# The data are needed for what is still to run, and for nothing else. Ten black pictures.
mkdir data
pictures() {
    printf '\0\0\010\003\0\0\0\012\0\0\0\034\0\0\0\034'
    head -c 7840 /dev/zero
}
labels() {
    printf '\0\0\010\001\0\0\0\012'
    printf '\0\1\2\3\4\5\6\7\10\11'
}
for part in train t10k; do
    pictures >data/$part-images-idx3-ubyte
    labels >data/$part-labels-idx1-ubyte
done
cat >d.yaml <<'END'
name: d
protocol: test
base: {dataset: {mnist: {path: data}}, stream: iid, stream.batch: 5, model.hidden: [4]}
seeds: 1
END
expect 0 "$engram" run d.yaml
mv data elsewhere
expect 0 "$engram" run d.yaml
has out "all 1 trials were finished before"
refuses "dataset mnist" "data" -- "$engram" run d.yaml seeds=2
refuses "dataset mnist" "data" -- "$engram" run d.yaml --redo all
mv elsewhere data
expect 0 "$engram" run d.yaml seeds=2
has err "1 of its 2 trials are new"

# The same command on other data would mix two sweeps' results: refused, or marked.
expect 0 "$engram" run d.yaml -o e.h5
cp e.journal before.journal
printf '\x80' | dd of=data/train-images-idx3-ubyte bs=1 seek=1000 conv=notrunc status=none
refuses "the data have changed" "mnist had checksum" "--accept-data" -- "$engram" run d.yaml -o e.h5 seeds=2
same before.journal e.journal
expect 0 "$engram" run d.yaml -o e.h5
has out "all 1 trials were finished before"
expect 0 "$engram" status e.h5
lacks out "different data"
expect 0 "$engram" run d.yaml -o e.h5 seeds=2 --accept-data
expect 0 "$engram" status e.h5
has out "results of different data are mixed: mnist with checksums"
# A trial that runs again on other data says something else.
cp e.h5 again.h5
cp e.journal again.journal
expect 0 "$engram" run d.yaml -o again.h5 seeds=2 --redo all
has out "2 trials ran again; what they recorded before differs in 1 of them, first in trial "
rm e.journal
expect 0 "$engram" top e.h5
has out "results of different data are mixed: mnist with checksums"
# From now on these are its data; the place they lie in does not matter.
expect 0 "$engram" run d.yaml -o f.h5
cp -r data moved
expect 0 "$engram" run d.yaml -o f.h5 seeds=2 dataset.path=moved
expect 0 "$engram" status f.h5
lacks out "different data"

# Another host may have other files under the same path: nothing is trained there, and the sweep ends with words.
mkdir host0 host1
cp -r moved host0/mnist
cp -r moved host1/mnist
cat >on_host <<'END'
#!/bin/sh
ENGRAM_DATA=$PWD/host$OMPI_COMM_WORLD_RANK exec "$@"
END
chmod +x on_host
sed -i 's/{mnist: {path: data}}/mnist/' d.yaml
expect 0 "$mpirun" 2 ./on_host "$engram" run d.yaml -o h.h5 --scheduler dedicated
printf '\x80' | dd of=host1/mnist/t10k-images-idx3-ubyte bs=1 seek=1000 conv=notrunc status=none
expect 2 "$mpirun" 2 ./on_host "$engram" run d.yaml -o h.h5 --scheduler dedicated seeds=3
has err "engram: rank 1 on host $(hostname): other data than at rank 0: mnist has checksum"
has err "every host needs the same files"
expect 0 "$engram" export h.h5
[ "$(grep -c ,done, out)" = 1 ] || fail "trials were run with other data"
lacks out ",failed,"
cp host0/mnist/t10k-images-idx3-ubyte host1/mnist
expect 0 "$mpirun" 2 ./on_host "$engram" run d.yaml -o h.h5 --scheduler dedicated seeds=3
echo passed
