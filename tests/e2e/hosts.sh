#!/usr/bin/env bash
# A sweep on two hosts, and the loss of one of them. The hosts are network namespaces, each with an address,
# a name and processes of its own, joined by a cable; `ip netns exec` stands in for ssh. All of it is
# inside namespaces of this script and ends with it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${HOSTS_TEST_INSIDE-}" ]; then
    spaces=(--net --mount --uts --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" = 0 ] || spaces+=(--user --map-root-user)
    try='mount -t tmpfs none /run && ip netns add a && ip link add x type veth peer name y'
    if ! command -v ip >/dev/null; then
        echo "SKIPPED, nothing on several hosts was tested: no ip command (Debian: iproute2)"
        exit 77
    elif ! why=$(unshare "${spaces[@]}" sh -c "$try" 2>&1); then
        echo "SKIPPED, nothing on several hosts was tested: network namespaces are not permitted here: $why"
        exit 77
    fi
    HOSTS_TEST_INSIDE=1 exec unshare "${spaces[@]}" "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$here/support.sh"
hosts=$here/../../jobs/hosts.sh

mount -t tmpfs none /run
for host in a b; do
    ip netns add $host
    ip -n $host link set lo up
done
ip link add cable-a netns a type veth peer name cable-b netns b
for host in a b; do
    ip -n $host addr add 10.231.0.$((1 + (0x$host - 10)))/24 dev cable-$host
    ip -n $host link set cable-$host up
done

# on HOST COMMAND…: as ssh would, but with words as they are.
cat >on <<'END'
#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c 'hostname "$0"; exec "$@"' "$host" "$@"
END
# What hosts.sh calls in its place: like a shell on the other side that gets one line.
cat >rsh <<'END'
#!/bin/sh
host=$1
shift
exec "$(dirname "$0")/on" "$host" sh -c "$*"
END
chmod +x on rsh
export ENGRAM=$engram ENGRAM_RSH=$work/rsh
export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=10.231.0.0/24 OMPI_MCA_oob_tcp_if_include=10.231.0.0/24

# end CODE: waits for it.
end() {
    local code=0
    wait "$job" || code=$?
    [ "$code" = "$1" ] || {
        cat running.out running.err
        fail "exit code $code instead of $1"
    }
}

tables() {
    for table in trials curves matrix; do
        "$engram" export "$1.h5" --stable --table $table
    done
}

sweep two <<'END'
  stream.epochs: 30
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 3
END
"$engram" run two.yaml -o alone.h5 --quiet
tables alone >alone.txt

# What cannot work is said before anything starts.
expect 2 "$hosts" a:1,b:0 two.yaml
has err "'b:0' is not HOST or HOST:RANKS"
expect 2 ./on a "$hosts" b:1,a:1 two.yaml
has err "the first host must be this machine, a; 'b' is not"
expect 2 ./on a "$hosts" a:1,c:1 two.yaml
has err "cannot start anything on host 'c'"

# One sweep on both.
hooks both "products 1"
touch both.hook/slow
"${hook[@]}" ./on a "$hosts" a:1,b:1 two.yaml -o both.h5 >running.out 2>running.err &
job=$!
background+=("$job")
await_point both 0
await_point both 1
rm both.hook/slow
end 0
has running.err "2 ranks on 2 hosts"
tables both >both.txt
same alone.txt both.txt
"$engram" export both.h5 >both.csv
has both.csv ",a,"
has both.csv ",b,"

sweep long <<'END'
  stream.epochs: 200
grid:
  optimizer.lr: [0.003, 0.03]
  model.activation: [relu, hard_ash]
seeds: 2
END
"$engram" run long.yaml -o whole.h5 --quiet
tables whole >whole.txt

works_on_b() {
    "$engram" status "$1.h5" >status.out && grep -q "rank 1 on b" status.out
}

# begin NAME: the sweep on both hosts, until a trial is finished and b has another one; sets `job`.
begin() {
    hooks "$1" "results 1"
    "${hook[@]}" ./on a "$hosts" a:1,b:1 long.yaml -o "$1.h5" --worker-timeout 4 >running.out 2>running.err &
    job=$!
    background+=("$job")
    await_point "$1"
    await "a trial on b" works_on_b "$1"
}

kill_host() {
    ip netns pids "$1" | xargs --no-run-if-empty kill -KILL
}

# A host loses its power: the sweep goes on with the other one, and what was lost is done again there.
begin power
kill_host b
rm power.hook/slow
end 0
has running.err "on host b"
has running.out "8 of 8 trials finished"
tables power >power.txt
same whole.txt power.txt

# A host loses its cable: the same, and what runs there leaves by itself.
begin cable
ip -n b link set cable-b down
rm cable.hook/slow
end 0
has running.err "on host b"
has running.out "8 of 8 trials finished"
tables cable >cable.txt
same whole.txt cable.txt
kill_host b
ip -n b link set cable-b up

# The host of rank 0 loses its power: nothing goes on, and nothing is lost. Another host cannot know that nobody
# writes any more and says what to do.
begin first
kill_host a
{ wait "$job" || true; } 2>/dev/null
rm first.hook/slow
kill_host b
expect 2 ./on b "$hosts" b:1 long.yaml -o first.h5
has err "on host a; if that job is gone, \`engram merge NEW.h5 first.h5\`"
expect 0 "$engram" merge copy.h5 first.h5
expect 0 ./on b "$hosts" b:1 long.yaml -o copy.h5
has err "of 8 trials were finished before"
tables copy >first.txt
same whole.txt first.txt
echo passed
