# Sourced by scripts of this folder: a folder of their own to work in, and how they judge what the
# program does. $AUXSEG: the program; $AUXSEG_MPIRUN: mpirun and flags.
set -uo pipefail
auxseg=$AUXSEG
read -ra mpirun <<<"$AUXSEG_MPIRUN"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

fail() {
    printf 'FAILED: %s\n' "$*"
    tail -n 20 out | sed 's/^/  | /'
    failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code, and a line of what was printed.
expect() {
    local code=$1 pattern=$2 got=0
    shift 2
    timeout 50 "$@" >out 2>&1 </dev/null || got=$?
    [[ $got -eq $code ]] || fail "$*: code $got, not $code"
    grep -qa -- "$pattern" out || fail "$*: nothing like \"$pattern\""
}

# damage FILE COPY OFFSET: a copy whose byte at OFFSET, from the end, is another one.
damage() {
    local size byte
    cp "$1" "$2"
    size=$(stat -c %s "$1")
    byte=$(tail -c "$3" "$1" | od -An -tu1 -N1)
    printf "%b" "\\$(printf %03o $((byte ^ 1)))" |
        dd of="$2" bs=1 seek=$((size - $3)) conv=notrunc status=none
}

# cluster_checkpoint FOLDER: a clustering of tiny.cfg in FOLDER that is told to stop once it is under
# way leaves its state there.
cluster_checkpoint() {
    local i job
    "$auxseg" cluster tiny.cfg --set "run.dir=$1" --set cluster.k=2 --set cluster.restarts=1000 \
        --set cluster.checkpoint_iterations=1 >out 2>&1 </dev/null &
    job=$!
    for ((i = 0; i < 400; i++)); do
        compgen -G "$1/checkpoints/cluster-*.safetensors" >list && break
        sleep 0.05
    done
    kill -TERM "$job"
    wait "$job"
    [[ -s list ]] || fail "no checkpoint of a clustering"
}
