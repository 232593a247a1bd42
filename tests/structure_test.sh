#!/usr/bin/env bash
# The rules of the source tree (README, "Layout"): includes go only downwards, a library is named
# only in its folder, files stay short, nothing points to one machine. Prints every violation.
# structure_test.sh [ROOT]: another tree than this one.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
violations=0

violation() {
    printf '%s\n' "$*"
    violations=$((violations + 1))
}

# may_include FOLDER PREFIX...: the headers of the project that a file of FOLDER may include.
# A prefix is a folder ("src/base/") or one header.
may_include() {
    local folder=$1 file line header prefix
    shift
    while IFS=: read -r file line header; do
        for prefix in "$folder/" "$@"; do
            [[ $header == "$prefix"* ]] && continue 2
        done
        violation "$file:$line includes $header: $folder may include only $folder/ $*"
    done < <(find "$folder" -name '*.[ch]' -exec grep -HnoE '^ *# *include *"[^"]+"' {} + |
        sed -E 's/: *# *include *"([^"]+)"/:\1/')
}

# only_in HEADER-PATTERN FOLDER...: the folders, or files, that may include a library's headers.
only_in() {
    local pattern=$1 file line folder
    shift
    while IFS=: read -r file line _; do
        for folder in "$@"; do
            [[ $file == "$folder/"* || $file == "$folder" ]] && continue 2
        done
        violation "$file:$line includes $pattern: only $* may"
    done < <(grep -rHnE --include='*.[ch]' "^ *# *include *<($pattern)>" src mpi io)
}

may_include src/base
may_include src/image src/base/
may_include src/nn/kernels src/base/
may_include src/nn/graph src/base/
may_include src/nn/plan src/base/ src/nn/kernels/ src/nn/graph/
may_include src/model src/base/ src/nn/graph/
may_include src/label src/base/
may_include src/contrast src/base/ src/image/
may_include src/segment src/base/ src/image/
core=(src/base/ src/image/ src/nn/ src/model/ src/label/ src/contrast/ src/segment/)
may_include mpi "${core[@]}"
communicator=(mpi/comm.h mpi/shard.h mpi/phases.h)
may_include io/files "${core[@]}" "${communicator[@]}"
may_include io/codecs src/base/ src/image/
may_include io/hdf5 "${core[@]}" "${communicator[@]}" io/files/
may_include io/dataset "${core[@]}" "${communicator[@]}" io/files/ io/codecs/ io/hdf5/
may_include io/weights "${core[@]}" "${communicator[@]}" io/files/
may_include io/page src/base/ src/image/ mpi/phases.h io/files/
below=("${core[@]}" mpi/ io/)
may_include src/app/stage "${below[@]}"
may_include src/app/features "${below[@]}" src/app/stage/
may_include src/app/clusters "${below[@]}" src/app/stage/ src/app/features/
may_include src/app/training "${below[@]}" src/app/stage/
may_include src/app/evaluation "${below[@]}" src/app/stage/
may_include src/app/report "${below[@]}" src/app/stage/ src/app/clusters/ src/app/evaluation/
may_include src/app/tools "${below[@]}" src/app/stage/ src/app/features/
may_include src/app "${below[@]}"

only_in 'libconfig.h' src/base
only_in 'Random123/.*' src/base
only_in '(oneapi/)?dnnl[^>]*' src/nn/kernels
only_in '(lapacke?|cblas)[^>]*' src/label
only_in 'mpi.h' mpi io src/app
# io/files/machine.c names the versions of all libraries.
only_in '(hdf5|H5[A-Za-z]*).*\.h' io/hdf5 io/files/machine.c
only_in '(png|jpeglib|turbojpeg)\.h' io/codecs io/files/machine.c
only_in '(jansson|zip)\.h' io/files

while read -r lines file; do
    [[ $file == total || $lines -le 500 ]] || violation "$file has $lines lines: at most 500"
done < <(find src mpi io jobs tests -path tests/fixtures -prune -o \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \) -exec wc -l {} +)

while IFS= read -r line; do
    violation "$line: an absolute path of one machine"
done < <(grep -rnE "(^|[\"'= (:])/(work|home|root|scratch|users|mnt|data)/" src mpi io jobs configs \
    tests .ci CMakeLists.txt --include='*.[ch]' --include='*.txt' --include='*.sh' \
    --include='*.sbatch' --include='*.cfg' --include='*.py' --include=run --include=submit \
    --exclude=structure_test.sh)

[[ ! -e mpi/mpi.h ]] || violation "mpi/mpi.h: hides the library's own header"

if [[ $violations -gt 0 ]]; then
    printf '%d violations\n' "$violations"
    exit 1
fi
echo "no violations"
