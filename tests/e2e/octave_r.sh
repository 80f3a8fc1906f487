#!/usr/bin/env bash
# The recipes of analysis/README.md, as they stand there, and the scripts of analysis/examples, in Octave or in R: they give
# the words and numbers of the export, and nothing warns. usage: octave_r.sh ENGRAM octave|r
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"
language=$2

# skip_without WORDS COMMAND…: unless the command works.
skip_without() {
    "${@:2}" >/dev/null 2>&1 || {
        echo "SKIPPED: $1"
        exit 77
    }
}
case $language in
octave) skip_without "octave with the package netcdf is missing (apt-get install octave octave-netcdf)" \
    octave-cli --eval "pkg load netcdf" ;;
r) skip_without "R with ncdf4 is missing (apt-get install r-cran-ncdf4)" Rscript -e 'library(ncdf4)' ;;
esac

# recipe LANGUAGE: the first block in it.
recipe() { awk -v start="\`\`\`$1" '$0 == start { inside = 1; next } /^```$/ { if (inside) exit } inside' "$here/../../analysis/README.md"; }

# Settings that only some trials have, of every type; a cut leaves trials without results.
sweep quickstart <<'END'
grid:
  model.activation: [relu, {lwta: {groups: 4}}, {hard_ash: {z_k: 2}}]
  optimizer: [sgd, {adam: {bias_correction: false}}]
seeds: 2
stop: {early_cut: {after: 1, below: 0.2}}
END
expect 0 "$engram" run quickstart.yaml
has out "skipped"
mkdir bin
ln -s "$engram" bin/engram
PATH=$work/bin:$PATH
python3 - <<'END' >expected
import csv, subprocess
rows = list(csv.DictReader(subprocess.run(["engram", "export", "results/quickstart.h5"], check=True,
                                          capture_output=True, text=True).stdout.splitlines()))
for row in rows:
    print(row["model.activation"])
print(sum(row["status"] == "done" for row in rows))
END
# Mean, half of the Student interval and count of final accuracy, by words; the quantiles are those of any table.
python3 - <<'END' >values
import csv, math, statistics, subprocess
quantile = {2: 12.706204736, 3: 4.302652730, 4: 3.182446305}
rows = list(csv.DictReader(subprocess.run(["engram", "export", "results/quickstart.h5"], check=True,
                                          capture_output=True, text=True).stdout.splitlines()))
groups = {}
for row in rows:
    if row["status"] == "done":
        groups.setdefault(row["model.activation"], []).append(float(row["final_accuracy"]))
for name, values in sorted(groups.items()):
    n = len(values)
    half = quantile[n] * statistics.stdev(values) / math.sqrt(n) if n > 1 else math.nan
    print(f"{name} {statistics.mean(values):.6f} {half:.6f} {n}".replace("nan", "NA"))
END

if [ "$language" = octave ]; then
    {
        # No picture: only what would be drawn.
        cat <<'END'
1;
function plot(x, y) assert(size(x), size(y)); assert(all((diff(x) > 0)(:))); end
pkg load netcdf
END
        recipe matlab
        recipe octave
        cat <<'END'
printf("%s\n", activation{:}); printf("%d\n", sum(done));
END
    } >recipe.m
    expect 0 octave-cli --quiet --no-history recipe.m
else
    {
        echo 'options(warn = 2)'
        recipe r
        # And everything else: numbers that a trial does not have are NA or NaN.
        cat <<'END'
stopifnot(nrow(trials) == length(activation), ncol(accuracy) == length(activation))
cat(activation, sum(trials$status == "done"), sep = "\n")
f <- nc_open("results/quickstart.h5")
all <- lapply(names(f$var), function(name) ncvar_get(f, name))
stopifnot(sum(is.na(ncvar_get(f, "model_activation_groups"))) == 8)
END
    } >recipe.R
    expect 0 Rscript --vanilla recipe.R
fi
[ ! -s err ] || fail "it complains: $(head -5 err)"
same expected out

examples=$here/../../analysis/examples
if [ "$language" = octave ]; then
    expect 0 octave-cli --quiet --no-history "$examples/results.m" results/quickstart.h5 model_activation
    sed -i 's/NaN/NA/' out
else
    expect 0 Rscript --vanilla "$examples/results.R" results/quickstart.h5 model_activation curves.pdf
    [ "$(head -c 5 curves.pdf)" = %PDF- ] || fail "no picture"
fi
[ ! -s err ] || fail "it complains: $(head -5 err)"
same values out
