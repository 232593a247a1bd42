#!/usr/bin/env bash
# The command line: help, versions, mistakes in arguments and settings, exit codes, check; the end
# of a stage under MPI. Needs no data.
set -uo pipefail
auxseg=$AUXSEG
read -ra mpirun <<<"$AUXSEG_MPIRUN"
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export OMP_NUM_THREADS=1
failures=0

# expect CODE PATTERN COMMAND...: the exit code, and a line that matches (a regular expression).
expect() {
    local code=$1 pattern=$2 got=0
    shift 2
    timeout 50 "$@" >out 2>err </dev/null || got=$?
    if [[ $got -ne $code ]] || ! grep -qE -- "$pattern" out err; then
        printf 'FAILED: %s\n  code %d, not %d, or no line like: %s\n' "$*" "$got" "$code" "$pattern"
        sed 's/^/  | /' out err
        failures=$((failures + 1))
    fi
}

# count NUMBER PATTERN: lines of the last command's standard error.
count() {
    local got
    got=$(grep -cE -- "$2" err)
    [[ $got -eq $1 ]] && return
    printf 'FAILED: %d lines like %s, not %d\n' "$got" "$2" "$1"
    sed 's/^/  | /' err
    failures=$((failures + 1))
}

cat >good.cfg <<'CFG'
run: { dir = "runs/good"; };
dataset: { layout = "synth"; root = "images"; synth_train = 4; synth_val = 2; };
CFG
printf 'this is no picture\n' >text.png
printf 'text.png\nabsent.png\n' >train.txt
cat >bad.cfg <<'CFG'
run: { dirr = "x"; rounds = 0; };
dataset: { layout = "pairs"; root = "."; train = "train.txt"; classes = 3; };
modle: { };
model: { weights = "absent.safetensors"; };
finetune: { list = "absent.txt"; };
CFG

expect 2 'Usage: auxseg COMMAND' "$auxseg"
expect 0 'Usage: auxseg COMMAND' "$auxseg" --help
expect 0 'Usage: auxseg COMMAND' "$auxseg" -h
expect 0 'Usage: auxseg COMMAND' "$auxseg" help
expect 0 '^Usage: auxseg pretrain ' "$auxseg" help pretrain
expect 2 'unknown command pretain: did you mean pretrain\?' "$auxseg" help pretain
expect 0 '^auxseg +[0-9]+\.[0-9]+\.[0-9]+, commit ([0-9a-f]{7}|v|unknown)' "$auxseg" --version
expect 0 '^auxseg +[0-9]+\.[0-9]+' "$auxseg" -V
for library in onednn mpi hdf5 libpng; do
    expect 0 "^$library +[^ ]" "$auxseg" --version
done
for command in run pack extract cluster score pretrain finetune evaluate predict report check \
    bench inspect verify convert synth classify kmeans compare study; do
    expect 0 "^Usage: auxseg $command " "$auxseg" "$command" --help
    expect 0 '^Example: .*auxseg '"$command" "$auxseg" "$command" -h
    expect 0 '^  75  stopped early' "$auxseg" "$command" --help
    expect 0 "^  $command " "$auxseg" --help
done
# Exit codes that the help names are those that there are.
expect 0 '^   5  non-finite values' "$auxseg" --help
diff <(sed -nE 's/^  +([0-9]+)  .*/\1/p' out) <(printf '%s\n' 0 1 2 3 4 5 6 75) >err ||
    expect 0 'the exit codes of --help are 0 1 2 3 4 5 6 75' false

expect 2 'unknown command pretain: did you mean pretrain\?' "$auxseg" pretain good.cfg
expect 2 'a file of settings is missing' "$auxseg" check
expect 2 'group.key=value is missing' "$auxseg" check good.cfg --set
expect 2 'unknown option --sett' "$auxseg" check good.cfg --sett run.seed=1
expect 2 'one file of settings' "$auxseg" check good.cfg run.seed=1
expect 2 'absent.cfg: No such file' "$auxseg" check absent.cfg
expect 2 '' "$auxseg" inspect
expect 2 '' "$auxseg" verify
expect 2 '' "$auxseg" convert one

expect 0 'no mistake found' "$auxseg" check good.cfg
expect 0 'no mistake found' "$auxseg" check good.cfg --set=model.norm=sync --set pretrain.batch=3
expect 2 'model.wave = 2: model.norm = "sync" needs the whole batch' "$auxseg" check good.cfg \
    --set=model.norm=sync --set=model.wave=2
[[ ! -e runs && ! -e images ]] || expect 0 'check leaves nothing behind' false
"$auxseg" check --defaults | diff - "$tests/../configs/default.cfg" >err ||
    expect 0 'check --defaults differs from configs/default.cfg' false

# Every mistake at once: two keys, a group, a missing image, one that is none, weights, a list.
expect 2 'bad.cfg:1: unknown key run.dirr' "$auxseg" check bad.cfg
count 2 'bad.cfg:1: '
count 1 'bad.cfg:3: unknown group modle: did you mean model'
count 1 'absent.png: cannot be read: No such file'
count 1 'text.png: '
count 1 'absent.safetensors: '
count 1 'absent.txt: cannot be read: No such file'
[[ $(tail -n 1 out) == 'check: 9 mistakes' ]] || expect 0 'the number of mistakes, last' false
expect 3 'absent.safetensors' "$auxseg" check good.cfg --set model.weights=absent.safetensors
expect 4 'run.dir = "good.cfg/x"' "$auxseg" check good.cfg --set run.dir=good.cfg/x
expect 2 'synth' "$auxseg" check good.cfg --set dataset.layout=sinth

# Under MPI: one rank speaks, all leave with one code.
expect 2 'unknown key run.sed: did you mean run.seed' "${mpirun[@]}" -n 2 "$auxseg" score good.cfg \
    --set run.sed=1
count 1 'unknown key'
expect 2 'Result: FAIL \(code 2: usage or settings\)' "${mpirun[@]}" -n 2 "$auxseg" score good.cfg \
    --set run.sed=1
expect 2 'a file of settings is missing' "${mpirun[@]}" -n 2 "$auxseg" score
expect 3 'Result: FAIL \(code 3: input data\)' "${mpirun[@]}" -n 2 "$auxseg" score good.cfg
for line in 'ranks x threads: 2 x 1' '  ranks? 0.*cores [0-9]' '  dataset: {.* synth_train = 4;' \
    'Time to solution \[s\]: [0-9]' 'Peak memory \[MiB\]: [1-9]'; do
    grep -qE -- "^[0-9:]{8} $line" out || expect 0 "$line in the output of a stage" false
done
expect 0 'no mistake found' "$auxseg" check runs/good/settings.cfg
# A run's folder where a file is wanted, and the other way round.
for command in predict evaluate check; do
    expect 2 'runs/good: a folder; a file of settings is needed here: .* runs/good/settings.cfg' \
        "$auxseg" $command runs/good
done
head -c 64 /dev/zero >bin
expect 2 'bin: no file of settings: it has a zero byte' "$auxseg" predict bin
expect 3 'runs/good: a folder; a file is needed here' "$auxseg" check good.cfg \
    --set model.weights=runs/good
expect 3 'runs/good: a folder; a file is needed here' "$auxseg" inspect runs/good
expect 4 'good.cfg: cannot make this folder: there is a file' "$auxseg" score good.cfg \
    --set run.dir=good.cfg
expect 3 'threads on [0-9]+ cores' "$auxseg" score good.cfg --set run.threads=1000

if [[ $failures -gt 0 ]]; then
    echo "$failures failures"
    exit 1
fi
echo "all as expected"
