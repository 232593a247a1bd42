#!/usr/bin/env bash
# What oneDNN runs in a training step of DeepLabV3-ResNet-50, from its own log: no convolution and no
# product by a slow path, at small and large crops; nothing is reordered image by image, but weights
# once a step; and that the vectors of our own kernels are vectors. $AUXSEG: the program.
set -uo pipefail
auxseg=$AUXSEG
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export OMP_NUM_THREADS=1 ONEDNN_VERBOSE=1 DNNL_VERBOSE=1
failures=0
# The beginning of a line on an execution, by versions 2 and 3.
ran='_verbose,(v1,)?(primitive,)?exec,[^,]*,'

fail() {
    printf 'FAILED: %s\n' "$*"
    failures=$((failures + 1))
}

# log DEPTH CROP TYPE BATCH NORM: oneDNN's log of a warm-up step and another. One image has no
# statistics of its own behind a pooling of all its pixels: its norms are frozen.
log() {
    timeout 100 "$auxseg" bench train --depth "$1" --crop "$2" --dtype "$3" --batch "$4" --steps 1 --norm "$5" \
        >log 2>err </dev/null || fail "crop $2, $3: $(cat err)"
    grep -cE "${ran}convolution," log >convolutions
    [[ $(cat convolutions) -gt 20 ]] || fail "crop $2, $3: oneDNN's log shows no convolutions"
}

types="f32"
grep -q avx512_bf16 /proc/cpuinfo && types="f32 bf16"
# Below AVX2 the slow paths are the only ones.
grep -q avx2 /proc/cpuinfo || exit 77
for type in $types; do
    for crop in 160 512; do
        log 50 $crop "$type" 1 frozen
        grep -E "$ran(convolution|matmul),[^,]*(gemm|ref)" log &&
            fail "crop $crop, $type: a slow path"
    done
    for batch in 2 4; do
        log 18 96 "$type" $batch group
        grep -cE "${ran}reorder," log >reorders-$batch
        [[ $(cat reorders-$batch) -gt 20 ]] || fail "$type: no reorders of weights in the log"
    done
    cmp reorders-2 reorders-4 || fail "$type: reorders grow with the images"
done

# Comparisons of vectors that the compiler has made of one element after the other, so many that they
# are no loop's rest: thirty times as slow, as a maximum pool once was.
if command -v objdump >/dev/null; then
    objdump -d --no-show-raw-insn "$auxseg" | awk '
        /^[0-9a-f]+ <.*>:$/ { name = $2 }
        name ~ /arch_x86_64_v4/ { clones[name] = 1 }
        name ~ /arch_x86_64_v4/ && $2 ~ /^vu?comiss$/ { single[name]++ }
        END { for (n in clones) all++; print all + 0, "clones"
              for (n in single) if (single[n] >= 64) print single[n], n }' >single
    cat single
    grep -q '^0 clones' single || [[ $(wc -l <single) -eq 1 ]] || fail "elements one after the other: $(tail -n +2 single)"
fi

if [[ $failures -gt 0 ]]; then
    echo "$failures failures"
    exit 1
fi
echo "all as expected"
