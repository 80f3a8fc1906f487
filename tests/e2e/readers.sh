#!/usr/bin/env bash
# Every reader opens the result file: while the sweep runs, after a kill, and at the end.
# usage: readers.sh ENGRAM PYTHON
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"
python=$2

"$python" -c "import h5netcdf, h5py, netCDF4, numpy, xarray" 2>/dev/null || {
    echo "skipped: $python lacks h5netcdf, h5py, netCDF4, numpy or xarray"
    exit 77
}
for tool in h5dump ncdump; do
    command -v "$tool" >/dev/null || {
        echo "skipped: $tool is not installed"
        exit 77
    }
done

sweep readers <<'END'
  eval.every: 5
grid:
  optimizer.lr: [0.01, 0.03]
  model.activation:
    - hard_ash: {alpha: [3], z_k: [2.2]}
    - relu
    - topk_subtract: {k: [4]}
seeds: 3
END

# read_all FILE: none of the readers complains, nor warns.
read_all() {
    h5dump -H "$1" >/dev/null || fail "h5dump cannot read $1"
    ncdump "$1" >dump || fail "ncdump cannot read $1"
    has dump "string model_activation(trial) ;"
    has dump "float accuracy(trial, eval) ;"
    "$python" -W error - "$1" <<'END' || fail "xarray cannot read $1"
import sys, xarray
for engine in ("h5netcdf", "netcdf4"):
    with xarray.open_dataset(sys.argv[1], engine=engine) as ds:
        ds.load()
        ds.accuracy.groupby("model_activation").mean("trial")
END
}

# While the sweep runs, and after a kill.
hooks slow "results 2"
"${hook[@]}" "$engram" run readers.yaml -o slow.h5 --quiet &
background+=($!)
await_point slow
read_all slow.h5
kill -9 "${background[0]}" || fail "the slow sweep ended too early to be killed"
wait "${background[0]}" 2>/dev/null || true
read_all slow.h5
expect 0 "$engram" collect slow.h5
read_all slow.h5

# After a clean stop the file says what the journal says: nothing is running, even to somebody who has no journal. One
# trial runs for minutes.
{
    cat readers.yaml
    echo "stop: off"
} | sed 's/examples: 400/examples: 40000/; s/^  eval.every: 5/  stream.epochs: 10000/' >stop.yaml
"$engram" run stop.yaml -o stop.h5 --quiet &
background+=($!)
for _ in $(seq 600); do
    { "$engram" status stop.h5 2>/dev/null || true; } | grep -q '^  running   1$' && break
    sleep 0.1
done
kill -USR1 $!
code=0
wait $! || code=$?
[ "$code" = 75 ] || fail "exit code $code instead of 75"
read_all stop.h5
mkdir alone
cp stop.h5 alone
expect 0 "$engram" status alone/stop.h5
has out "pending   18"
lacks out "running   "

# At the end: value by value.
expect 0 "$engram" run readers.yaml -o readers.h5
"$engram" export readers.h5 >readers.csv
read_all readers.h5
cp readers.h5 copy.h5 # the check appends to it
"$python" -B "$here/../../analysis/tests/check_result_file.py" copy.h5 readers.csv
expect 0 "$engram" check readers.h5

# Re-compressed by hand it is still the same to everybody.
if command -v h5repack >/dev/null; then
    h5repack -f SHUF -f GZIP=9 -f FLET readers.h5 small.h5
    read_all small.h5
    expect 0 "$engram" top small.h5
fi

# Without its journal the file still answers.
cp readers.h5 mailed.h5
"$engram" top readers.h5 >top
"$engram" top mailed.h5 | sed 's/mailed\.h5/readers.h5/' >top_mailed
same top top_mailed
"$engram" export mailed.h5 >mailed.csv
same readers.csv mailed.csv
echo passed
