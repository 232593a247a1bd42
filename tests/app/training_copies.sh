# Sourced by scripts that train in several ways from one folder, "run", with the settings tiny.cfg,
# and compare what comes out.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# What is trained, and its weights; another script sets its own.
stage=pretrain
output=pretrained.safetensors

# train NAME RANKS CODE PATTERN [SETTING]...: in a copy of the run's folder, or what is there.
train() {
    local name=$1 ranks=$2 code=$3 pattern=$4 i set=() start=()
    shift 4
    [[ $ranks -eq 1 ]] || start=("${mpirun[@]}" -n "$ranks")
    for i in "$@"; do set+=(--set "$i"); done
    [[ -e $name ]] || cp -r run "$name"
    expect "$code" "$pattern" "${start[@]}" "$auxseg" "$stage" tiny.cfg --set "run.dir=$name" \
        "${set[@]}"
}

# same A B: weights, losses, norms of the gradient, anchors.
same() {
    cmp "$1/$output" "$2/$output" || fail "$2: weights"
    cmp <(grep "^$stage," "$1/metrics.csv" | cut -d, -f1-7) \
        <(grep "^$stage," "$2/metrics.csv" | cut -d, -f1-7) || fail "$2: losses"
}

# column NAME COLUMN: of the first step's row.
column() {
    awk -F, -v stage="$stage" -v c="$2" '$1 == stage { print $c; exit }' "$1/metrics.csv"
}
