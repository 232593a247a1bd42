#!/usr/bin/env bash
# build.sh [OUT]: libFuzzer programs of all targets with their corpora (the folder
# NAME_seed_corpus; for OSS-Fuzz, which sets FUZZING_ENGINE, NAME_seed_corpus.zip) and dictionaries.
# As OSS-Fuzz has it, CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE and OUT say how and where. Without them: clang with
# address and undefined-behaviour sanitizers, build-fuzz. Neither MPI nor HDF5 is linked, only their
# headers are needed.
# BUNDLE=1: OUT also gets the shared libraries and the loader, so that it runs anywhere
# (OUT/long.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
OUT=${1:-${OUT:-$root/build-fuzz}}
CC=${CC:-clang}
CXX=${CXX:-clang++}
sanitizers='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
CFLAGS=${CFLAGS:--O2 -gline-tables-only $sanitizers -fsanitize=fuzzer-no-link}
CXXFLAGS=${CXXFLAGS:--O2 $sanitizers}
LIB_FUZZING_ENGINE=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
NO_COMPARISONS=
if [[ $CFLAGS == *fuzzer-no-link* ]]; then NO_COMPARISONS=-fno-sanitize-coverage=trace-cmp; fi
targets=(jpeg png labels safetensors torch archive pickle npy list config record label_map colours)

mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
work=$OUT/.objects
mkdir -p "$work"
# hdf5.h stands where pkg-config says; mpi.h where the compiler of MPI says.
headers="$(pkg-config --cflags hdf5-openmpi 2>/dev/null || pkg-config --cflags hdf5) \
    $(mpicc --showme:compile)"
libraries="$(pkg-config --libs libpng zlib libturbojpeg libjpeg libconfig jansson libzip) -lm"
# shellcheck disable=SC2089,SC2090 # words, of which that one has quotes of its own
flags="-std=gnu11 -D_GNU_SOURCE -DNDEBUG -DAUXSEG_VERSION=\"fuzz\" -I$root $headers"

compile() {
    local object=$work/${1//\//_}.o less=
    # Loops over all 65,536 ids would do little but report their comparisons.
    case $1 in
    */label_map.c | */dataset_classes.c) less=${NO_COMPARISONS-} ;;
    esac
    # Words, not one argument.
    # shellcheck disable=SC2086,SC2090
    [[ $object -nt $root/$1 ]] || $CC $CFLAGS $less $flags -c "$root/$1" -o "$object"
    printf '%s\n' "$object"
}
export -f compile
# shellcheck disable=SC2090
export CC CFLAGS NO_COMPARISONS flags root work

cd "$root"
mapfile -t sources < <(printf '%s\n' src/base/*.c src/image/*.c io/codecs/*.c io/files/*.c \
    io/dataset/*.c io/dataset/layouts/*.c io/weights/*.c)
rm -f "$work/all.a"
printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I{} bash -euc 'compile {}' |
    xargs ar rcs "$work/all.a"

# link OUTPUT OBJECT...: no target calls what needs MPI, HDF5 or oneDNN, though its files hold such
# functions; where one did, it would crash at address 0.
link() {
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS -no-pie -Wl,--unresolved-symbols=ignore-all -Wl,--as-needed -o "$@" "$work/all.a" $libraries
}
link "$work/seeds" "$(compile tests/fuzz/seeds.c)"
rm -rf "$work/corpus"
"$work/seeds" "$root/tests/fixtures" "$work/corpus"
cp -r "$here"/found/. "$work/corpus/"
for t in "${targets[@]}"; do
    # shellcheck disable=SC2086
    link "$OUT/$t" $LIB_FUZZING_ENGINE "$(compile "tests/fuzz/$t.c")" \
        "$(compile tests/fuzz/fuzz_file.c)" "$(compile tests/fuzz/fuzz_png.c)"
    rm -rf "$OUT/${t}_seed_corpus" "$OUT/${t}_seed_corpus.zip"
    if [[ -n ${FUZZING_ENGINE:-} ]]; then
        (cd "$work/corpus/$t" && zip -qr "$OUT/${t}_seed_corpus.zip" .)
    else
        cp -r "$work/corpus/$t" "$OUT/${t}_seed_corpus"
    fi
    if [[ -e $here/$t.dict ]]; then cp "$here/$t.dict" "$OUT/"; fi
done
if [[ -n ${BUNDLE:-} ]]; then
    mkdir -p "$OUT/lib"
    for t in "${targets[@]}"; do ldd "$OUT/$t"; done | grep -oE '/[^ ]+' | sort -u |
        xargs -I{} cp -L {} "$OUT/lib/"
    cp "$here/long.sh" "$OUT/"
fi
