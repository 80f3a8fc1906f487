#!/usr/bin/env bash
# The two commands of the README on a machine that has nothing; see --help.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

usage() {
    cat <<'END'
Usage: tests/fresh_machine.sh [--check] [--if-changed]

Makes a bare root of this machine's Debian or Ubuntu release with mmdebstrap: apt and what is
essential, no compiler, no Python, none of the packages that engram installs. Copies the checkout as it is
at HEAD into it, and there, in name spaces of its own, as root:
  1. jobs/quickstart.sh must end with the ranking of its sweep and a report about it
  2. tests/run.sh --quick must pass
Takes some minutes and 3 GB in $TMPDIR (default: /var/tmp), and leaves nothing there, however it ends.
Package sources, apt's settings, proxies, certificates and npm's registry are those of this machine.

  --if-changed  only if it has not passed on this release with the same install sets, build files and
                jobs/. That it passed is noted in ${XDG_CACHE_HOME:-~/.cache}/engram/fresh-machine
  --check       say whether it would run, and if not, why; run nothing

Exit codes: 0 passed; 77 not run: it needs root, Linux name spaces and a network; 1 failed.
END
}

say() {
    printf '\n== fresh machine: %s\n' "$*"
}

fail() {
    echo "fresh_machine.sh: $*" >&2
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

# What decides whether the two commands find all they need on a bare machine. data has no place in a commit: a
# developer's link of that name, committed by mistake, was in the way of the quickstart's own.
inputs=(jobs cmake CMakeLists.txt CMakePresets.json tests/CMakeLists.txt tests/rooms tests/run.sh
    tests/fresh_machine.sh sweeps/quickstart.yaml data)

git_here() {
    git -c safe.directory="$repository" "$@"
}

# Prints a name for all of that at HEAD, and which modules Python is asked for. Only contents count, not
# commits: the name is the same in every clone.
key_of_inputs() {
    {
        git_here ls-tree -r HEAD -- "${inputs[@]}"
        git_here grep -hE '^ *(import|from) ' HEAD -- 'analysis/*.py' | LC_ALL=C sort -u
    } | sha256sum | cut -c 1-16
}

# Prints the one-line form of the release's own package sources, however they are written here.
package_sources() {
    # shellcheck disable=SC2016 # expanded by apt-get
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' "Origin: $distribution" | LC_ALL=C sort -u
}

# Prints what apt was told here about reaching its sources.
package_settings() {
    apt-config dump |
        grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv|AllowInsecure|Languages)[^ ]* ".+";$' || true
}

# The first source has to answer, through apt's own proxies; says why not.
network_answers() {
    local address suite scratch code=0
    read -r _ address suite _ <<<"$1"
    scratch=$(mktemp -d)
    /usr/lib/apt/apt-helper -o Acquire::Retries=1 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \
        download-file "${address%/}/dists/$suite/InRelease" "$scratch/InRelease" >"$scratch/said" 2>&1 || code=$?
    grep '^E: ' "$scratch/said" | head -n 1
    rm -rf "$scratch"
    return $code
}

# The part in the name spaces: whatever is mounted and started here goes when its first process does.
inside() {
    local root=$1/root passed=() name
    say "a bare ${distribution} $release"
    mmdebstrap --quiet --mode=root --variant=apt --dpkgopt=force-unsafe-io --aptopt="$1/settings" \
        "$release" "$root" - <"$1/sources"

    # As on any machine: names, certificates of its own, no services started by an installation.
    cp -L /etc/hosts /etc/resolv.conf "$root/etc/"
    mkdir -p "$root/usr/local/share/ca-certificates"
    find /usr/local/share/ca-certificates -name '*.crt' \
        -exec cp -L {} "$root/usr/local/share/ca-certificates/" \;
    if grep -q https: "$1/sources"; then
        # Without this apt could not fetch ca-certificates, which is not among what is bare.
        mkdir -p "$root/etc/ssl/certs"
        cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    fi
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    mkdir "$root/engram"
    tar -x -C "$root/engram" <"$1/checkout.tar"

    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
    mount -t tmpfs tmpfs "$root/run"

    for name in {http,https,ftp,all,no}_proxy {HTTP,HTTPS,FTP,ALL,NO}_PROXY npm_config_registry; do
        if [ -n "${!name-}" ]; then
            passed+=("$name=${!name}")
        fi
    done
    exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        ${passed[@]+"${passed[@]}"} chroot "$root" /bin/bash -euo pipefail -c "$newcomer" </dev/null
}

# What a newcomer types, and a look at what comes of it.
# shellcheck disable=SC2016 # expanded in the bare root
newcomer='
fail() {
    echo "fresh_machine.sh: $*" >&2
    exit 1
}
cd /engram
echo "$(dpkg-query -f "x\n" -W | wc -l) packages are installed"
for package in $(jobs/install-dependencies.sh --list lint) npm; do
    if [ "$(dpkg-query -f "\${db:Status-Status}" -W "$package" 2>/dev/null)" = installed ]; then
        fail "$package is there before anything was installed: the root is not bare"
    fi
done

echo
echo "== fresh machine: jobs/quickstart.sh"
jobs/quickstart.sh 2>&1 | tee /quickstart.log

dataset=$(sed -n "s/^Dataset  \([a-z_]*\).*/\1/p" /quickstart.log)
name=quickstart
if [ "$dataset" = fashion_mnist ]; then
    grep -q "Why no source worked" /quickstart.log || fail "MNIST was replaced without saying why"
    name=quickstart-fashion_mnist
elif [ "$dataset" != mnist ]; then
    fail "the quickstart does not say which dataset it used"
fi

# Eight points, and with MNIST the one the README puts first.
ranking=$(sed -n "/^== ranking/,/^== report/p" /quickstart.log | grep -E "^ +[0-9]+ .*(adagrad|adam)" || true)
for activation in hard_ash topk_subtract relu sigmoid; do
    for optimizer in adagrad adam; do
        [ "$(grep -c "$activation .*$optimizer " <<<"$ranking")" = 1 ] ||
            fail "the ranking should have one row for $activation with $optimizer"
    done
done
[ "$(wc -l <<<"$ranking")" = 8 ] || fail "the ranking should have 8 rows"
if [ "$dataset" = mnist ]; then
    head -n 1 <<<"$ranking" | grep -q "hard_ash .*adagrad " || fail "hard_ash with adagrad should be first"
fi

# A report with all eight points, whose path the quickstart ends with.
[ "$(sed -n "\$s/^Report   \([^ ]*\).*/\1/p" /quickstart.log)" = "$PWD/results/$name.html" ] || fail "the quickstart does not end with its report"
/usr/bin/python3 - "results/$name.html" <<"END" || fail "results/$name.html is not a report of the eight points"
import json
import re
import sys
text = open(sys.argv[1], encoding="utf-8").read()
data = json.loads(re.search("id=.data.>(.*?)</script>", text, re.DOTALL).group(1))
print(sys.argv[1], len(text), "characters, views", sorted(data["views"]))
sys.exit(not (len(data["points"]) == 8 and {"verdict", "curves", "matrices"} <= set(data["views"]) and "<svg" in text))
END

echo
echo "== fresh machine: tests/run.sh --quick"
tests/run.sh --quick
'

[ -r /etc/os-release ] || skip "no /etc/os-release: not a Debian or Ubuntu system"
distribution=$(sed -n 's/^ID=//p' /etc/os-release)
distribution=${distribution^}
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

check_only=false
if_changed=false
for argument in "$@"; do
    case $argument in
    -h | --help)
        usage
        exit 0
        ;;
    --check) check_only=true ;;
    --if-changed) if_changed=true ;;
    --inside=*)
        inside "${argument#*=}"
        ;;
    *)
        echo "fresh_machine.sh: unknown argument '$argument'" >&2
        usage >&2
        exit 2
        ;;
    esac
done

if ! command -v apt-get >/dev/null || [ -z "$release" ]; then
    skip "not a Debian or Ubuntu system"
elif [ "$(id -u)" != 0 ]; then
    skip "needs root"
elif ! command -v git >/dev/null || ! git_here rev-parse --quiet --verify HEAD >/dev/null; then
    skip "needs git and a checkout with a commit"
elif ! unshare --mount --pid --fork mount -t tmpfs tmpfs /mnt 2>/dev/null; then
    skip "this container may not mount anything"
fi

key=$release-$(dpkg --print-architecture)-$(key_of_inputs)
stamp=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/engram/fresh-machine/$key
if $if_changed && [ -e "$stamp" ]; then
    skip "passed with the same install sets, build files and jobs: $(<"$stamp")"
fi

sources=$(package_sources)
if [ -z "$sources" ]; then
    apt-get -qq update || true
    sources=$(package_sources)
fi
[ -n "$sources" ] || skip "apt knows no package source of $distribution: no network?"
said=$(network_answers "$sources") || skip "no network: $said"
if $check_only; then
    exit 0
fi

jobs/install-dependencies.sh fresh
if [ -n "$(git_here status --porcelain --untracked-files=no)" ]; then
    echo "fresh_machine.sh: tests HEAD, without what is not committed here" >&2
fi
commit=$(git_here rev-parse --short=12 HEAD)

work=
child=
cleanup() {
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        # With it go all processes of the name space and, with the last one, the mounts.
        kill -KILL "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    for _ in {1..100}; do
        if [ -z "$work" ] || rm -rf --one-file-system "$work" 2>/dev/null; then
            return
        fi
        sleep 0.1 # the last of them are still ending
    done
    echo "fresh_machine.sh: cannot remove $work" >&2
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Who was killed could not clean up: what nobody has locked is removed by the next run.
place=${TMPDIR:-/var/tmp}
for left in "$place"/engram-fresh-*; do
    if [ -e "$left/lock" ]; then
        flock --nonblock "$left/lock" rm -rf --one-file-system "$left" || true
    fi
done
work=$(mktemp -d "$place/engram-fresh-XXXXXX")
exec {lock}>"$work/lock"
flock "$lock"
echo "$sources" >"$work/sources"
package_settings >"$work/settings"
git_here archive HEAD >"$work/checkout.tar"

# In the background, because bash acts upon a signal only after a command in the foreground. If this script
# is killed, so is what it started.
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
    "$repository/tests/fresh_machine.sh" --inside="$work" &
child=$!
code=0
wait "$child" || code=$?
child=
[ $code = 0 ] || fail "failed on a bare $distribution $release (exit code $code); the reason is above"

mkdir -p "${stamp%/*}"
echo "commit $commit on $(date -u +%F)" >"$stamp"
say "passed in $SECONDS s"
