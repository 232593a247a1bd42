#!/usr/bin/env bash
# The main job on a tiny built-in data set, on 1 to 4 ranks and 1 or 2 threads: labels, score and
# weights are the same bits; a run that was stopped halfway and continued on another number of ranks,
# too; a second start finds everything done. $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags.
set -euo pipefail
read -ra mpirun <<<"$AUXSEG_MPIRUN"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/tiny.cfg" <<EOF
run: { seed = 3; };
dataset: { layout = "synth"; synth_train = 6; synth_val = 3; synth_height = 72; synth_width = 96; };
model: { backbone = "resnet18"; stages = 2; head = "deeplabv3plus"; head_channels = 32;
         norm = "group"; group = 2; projection = 32; };
extract: { source = "finetuned"; };
cluster: { k = 6; iterations = 5; sample = 200; };
pretrain: { steps = 4; batch = 4; crop = 64; pixels = 20;
            optimizer = "adamw"; lr = 0.001; clip = 5.0; };
finetune: { fraction = 0.5; steps = 4; batch = 8; crop = 64;
            optimizer = "lars"; lr = 1.0; clip = 2.0; };
report: { overlays = 2; };
EOF

# run NAME RANKS THREADS [ARGUMENT]...
run() {
    local name=$1 ranks=$2 threads=$3
    shift 3
    OMP_NUM_THREADS=$threads "${mpirun[@]}" -n "$ranks" "$AUXSEG" run "$folder/tiny.cfg" \
        --set "run.dir=$folder/$name" --set "dataset.root=$folder/data" "$@" \
        >"$folder/$name.log" 2>&1
}

fail() {
    echo "FAILED: $1"
    tail -n 40 "$folder"/*.log
    exit 1
}

# results NAME: hashes of labels and weights, figures of score and segmentation, pictures.
results() {
    sed -n '/"results"/,$p' "$folder/$1/run.json" | grep -Ev '"(started|ranks|threads|finished|settings.cfg|report.html)"'
    cksum <"$folder/$1/labels.h5"
    cksum <"$folder/$1/confusion-finetuned.csv"
    sed -n '/<section id="quality"/,/<section id="curves"/p' "$folder/$1/report.html" | cksum
}

run one 1 1 || fail "one rank"
[[ -e $folder/one/DONE && -e $folder/one/report.html ]] || fail "DONE or the report is missing"
grep -q 'class="patch"' "$folder/one/report.html" || fail "no typical patches in the report"
grep -q '"labels": "[0-9a-f]*"' "$folder/one/run.json" || fail "no hash of the labels in run.json"
grep -q 'Result: PASS' "$folder/one.log" || fail "no Result: PASS"
results one >"$folder/expected"
for shape in "2 1" "3 1" "4 1" "1 2" "2 2"; do
    read -r ranks threads <<<"$shape"
    name=ranks-$ranks-threads-$threads
    run "$name" "$ranks" "$threads" || fail "$name"
    results "$name" | diff "$folder/expected" - || fail "$name differs from one rank, one thread"
    if [[ $(grep -c ',' "$folder/$name/metrics.csv") != $(grep -c ',' "$folder/one/metrics.csv") ]]; then
        fail "$name: another number of rows in metrics.csv"
    fi
done

# Stopped after each training step by a deadline that has passed, on changing numbers of ranks.
run stopped 2 1 --set run.compare=false --set run.until=score || fail "until score"
[[ ! -e $folder/stopped/pretrained.safetensors ]] || fail "run.until goes on"
starts=0
code=75
while [[ $code == 75 && $starts -lt 60 ]]; do
    starts=$((starts + 1))
    code=0
    run stopped $((starts % 3 + 1)) 1 --set run.max_hours=1e-9 || code=$?
done
[[ $code == 0 ]] || fail "stopped and continued $starts times: exit code $code"
[[ $starts -gt 8 ]] || fail "the deadline stopped only $starts times"
results stopped | diff "$folder/expected" - || fail "stopped and continued runs differ"
if cut -d, -f1-3 "$folder/stopped/metrics.csv" | sort | uniq -d | grep .; then
    fail "a step stands twice in metrics.csv"
fi

run one 2 1 || fail "second start"
[[ $(grep -c 'already done' "$folder/one.log") -eq 8 ]] || fail "a second start does not skip all"
! grep -q 'damaged' "$folder/one.log" || fail "a second start finds damage"
echo "passed: $starts starts of the stopped run"
