#!/usr/bin/env bash
# thread_sanitizer.sh [OUT] [TEST]...: the tests of the loader and of the samples (threads that decode
# and hold images at once), and those of teams (threads that compute an image together: attention,
# convolutions, whole plans) under clang's thread sanitizer, with libomp and its Archer, which tells the
# sanitizer of OpenMP's barriers; of gcc's libgomp nobody does, so that it reports what is none. Only
# the files that these tests reach are compiled: the clustering's need gcc. Needs clang, libomp-dev,
# cmocka. oneDNN is not instrumented: what it writes is not seen. OUT: build-tsan.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-build-tsan}
mkdir -p "$out"
read -ra flags <<<"-O1 -g -w -fsanitize=thread -fopenmp -std=gnu11 -D_GNU_SOURCE -DAUXSEG_SANITIZED \
    -I. $(mpicc --showme:compile) $(pkg-config --cflags hdf5-openmpi)"
flags+=('-DAUXSEG_VERSION="test"' "-DAUXSEG_TESTS=\"$PWD/tests\"")
read -ra libraries <<<"$(pkg-config --libs libpng libturbojpeg libjpeg libconfig jansson libzip \
    hdf5-openmpi) $(mpicc --showme:link) -lcmocka -ldnnl -lm"
objects=()
for f in src/base/*.c src/image/*.c io/codecs/*.c io/files/*.c io/dataset/*.c io/dataset/*/*.c io/hdf5/*.c mpi/comm.c \
    mpi/stop*.c mpi/phases.c mpi/traffic.c mpi/ranks_where.c mpi/features_place.c src/label/features.c src/app/training/loader.c \
    src/app/training/samples.c src/app/stage/binding.c src/nn/*/*.c tests/nn/plan/operators.c tests/nn/kernels/conv_fixture.c; do
    [[ -e $f ]] || continue
    objects+=("$out/${f//\//_}.o")
    clang "${flags[@]}" -c "$f" -o "${objects[-1]}"
done
rm -f "$out/all.a"
ar rcs "$out/all.a" "${objects[@]}"
archer=$(find /usr/lib/llvm-*/lib -name libarcher.so | tail -1)
tests=("${@:2}")
[[ ${#tests[@]} -gt 0 ]] || tests=(app/training/loader app/training/samples nn/kernels/attention
    nn/kernels/convolution nn/plan/plan)
for t in "${tests[@]}"; do
    echo "$t"
    program=$out/${t##*/}
    clang "${flags[@]}" -o "$program" "tests/${t}_test.c" "$out/all.a" "${libraries[@]}"
    # Old sanitizers cannot place their memory where addresses are very random.
    OMP_TOOL_LIBRARIES=$archer OMP_NUM_THREADS=3 TSAN_OPTIONS=ignore_noninstrumented_modules=1 \
        setarch -R "$program"
done
