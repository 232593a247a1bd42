# Sourced by scripts that pretrain in several ways from one clustering, of tiny.cfg in the folder
# "run", and compare what comes out.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# train NAME RANKS CODE PATTERN [SETTING]...: in a copy of the run's folder, or what is there.
train() {
    local name=$1 ranks=$2 code=$3 pattern=$4 i set=() start=()
    shift 4
    [[ $ranks -eq 1 ]] || start=("${mpirun[@]}" -n "$ranks")
    for i in "$@"; do set+=(--set "$i"); done
    [[ -e $name ]] || cp -r run "$name"
    expect "$code" "$pattern" "${start[@]}" "$auxseg" pretrain tiny.cfg --set "run.dir=$name" \
        "${set[@]}"
}

# same A B: weights and losses.
same() {
    cmp "$1/pretrained.safetensors" "$2/pretrained.safetensors" || fail "$2: weights"
    cmp <(grep '^pretrain,' "$1/metrics.csv" | cut -d, -f1-5) \
        <(grep '^pretrain,' "$2/metrics.csv" | cut -d, -f1-5) || fail "$2: losses"
}
