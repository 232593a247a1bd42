#!/usr/bin/env bash
# The rules of the source tree (src/README.md, "Layers"): includes go only downwards and never in a
# circle, a library is named only in its folder, files begin with what they are for and stay short,
# functions too, nothing points to one machine. Prints every violation.
# structure_test.sh [ROOT]: another tree than this one. AUXSEG_BUILD: the folder it is built in
# (ROOT/build), whose objects tell which files use each other; without one that is not checked.
set -euo pipefail
rules=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/structure
cd "${1:-$rules/../..}"
build=${AUXSEG_BUILD:-build}
violations=0
ruled=()

violation() {
    printf '%s\n' "$*"
    violations=$((violations + 1))
}

# may_include FOLDER PREFIX...: the headers of the project that a file of FOLDER may include.
# A prefix is a folder ("src/base/") or one header.
may_include() {
    local folder=$1 file line header prefix
    shift
    ruled+=("$folder")
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
may_include mpi/forecast "${core[@]}" mpi/
communicator=(mpi/comm.h mpi/shard.h mpi/phases.h mpi/stop_watch.h mpi/ranks_where.h)
may_include io/files "${core[@]}" "${communicator[@]}"
may_include io/codecs src/base/ src/image/
may_include io/hdf5 "${core[@]}" "${communicator[@]}" io/files/
may_include io/dataset/layouts src/base/ src/image/
may_include io/dataset "${core[@]}" "${communicator[@]}" io/files/ io/codecs/ io/hdf5/
may_include io/weights "${core[@]}" "${communicator[@]}" io/files/
may_include io/page src/base/ src/image/ mpi/phases.h io/files/
below=("${core[@]}" mpi/ io/)
may_include src/app/stage "${below[@]}"
may_include src/app/features "${below[@]}" src/app/stage/
may_include src/app/clusters "${below[@]}" src/app/stage/ src/app/features/
may_include src/app/training "${below[@]}" src/app/stage/ src/app/evaluation/
may_include src/app/evaluation "${below[@]}" src/app/stage/
may_include src/app/report "${below[@]}" src/app/stage/ src/app/clusters/ src/app/evaluation/
may_include src/app/compare "${below[@]}" src/app/stage/ src/app/report/ src/app/clusters/ \
    src/app/evaluation/
may_include src/app/tools "${below[@]}" src/app/stage/ src/app/features/ src/app/clusters/
may_include src/app/study "${below[@]}" src/app/stage/
may_include src/app/forecast "${below[@]}" src/app/stage/ src/app/tools/
may_include src/app "${below[@]}"

while IFS= read -r folder; do
    [[ " ${ruled[*]} " == *" $folder "* ]] || violation "$folder: no rule says what it may include"
done < <(find src mpi io -name '*.[ch]' | sed 's|/[^/]*$||' | sort -u)

only_in 'libconfig.h' src/base
only_in 'Random123/.*' src/base
only_in '(oneapi/)?dnnl[^>]*' src/nn/kernels
only_in '(lapacke?|cblas)[^>]*' src/label
only_in 'mpi.h' mpi io src/app
# io/files/machine.c names the versions of all libraries.
only_in '(hdf5|H5[A-Za-z]*).*\.h' io/hdf5 io/files/machine.c
only_in '(png|jpeglib|turbojpeg)\.h' io/codecs io/files/machine.c
only_in 'jansson\.h' io/files
only_in 'zip\.h' io/weights

while read -r lines file; do
    [[ $file == total || $lines -le 500 ]] || violation "$file has $lines lines: at most 500"
done < <(find src mpi io jobs tests -path tests/fixtures -prune -o \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \) -exec wc -l {} +)

# each_line COMMAND...: every line that it prints is a violation.
each_line() {
    local line
    while IFS= read -r line; do violation "$line"; done < <("$@")
}

code() {
    find src mpi io -name "$1" -print0 | sort -z
}

functions() {
    code '*.[ch]' | xargs -0r awk -v lines=60 -v parameters=8 -f "$rules/functions.awk"
}

heads() {
    code '*.c' | xargs -0r awk -f "$rules/heads.awk"
}

# circles WORD: reads pairs "A B" (A needs B), prints a line for each circle.
circles() {
    { sort -u | LC_ALL=C tsort 2>&1 >"$scratch/order" || true; } | awk -v word="$1" '
        function finish() { if (names != "") print word " in a circle:" names; names = "" }
        /contains a loop/ { finish(); next }
        { sub(/^tsort: /, ""); names = names " " $0 }
        END { finish() }'
}

# includes NAMES: pairs "FILE HEADER", headers of the project.
includes() {
    { code "$1" | xargs -0r grep -HoE '^ *# *include *"[^"]+"' || true; } |
        sed -E 's/^([^:]*):[^"]*"([^"]*)"/\1 \2/'
}

# Which header includes which.
header_uses() {
    includes '*.h' | awk '$1 != $2'
}

# The objects of the libraries and the program; one can outlive a source that was moved.
objects() {
    local object source
    while IFS= read -r object; do
        source=${object##*.dir/}
        [[ ! -f ${source%.o} ]] || printf '%s\0' "$object"
    done < <(find "$build/CMakeFiles" -path '*/auxseg*.dir/*' -name '*.c.o')
}

# Which file uses a function or a variable of which.
symbol_uses() {
    objects | xargs -0r nm -gA | sed -E 's|^[^:]*\.dir/||; s|\.o:| |' | awk '
        $(NF - 1) == "U" { user[++n] = $1; used[n] = $NF; next }
        { owner[$NF] = $1 }
        END {
            for (i = 1; i <= n; i++)
                if (used[i] in owner && owner[used[i]] != user[i]) print user[i], owner[used[i]]
        }'
}

# Folders need each other by includes and by symbols.
folder_uses() {
    {
        includes '*.[ch]'
        cat "$scratch/symbols"
    } | sed -E 's|/[^/ ]+ | |; s|/[^/ ]+$||' | awk '$1 != $2'
}

pages() {
    find src mpi io jobs configs tests -name '*.md'
    find . -maxdepth 1 -name '*.md' -printf '%f\n'
}

# What pages name and the tree has not: links, paths in backticks, functions in backticks with "()".
pages_name() {
    local page word
    { code '*.[ch]' | xargs -0r cat | grep -oE '[A-Za-z_][A-Za-z0-9_]*\(' || true; } |
        sort -u >"$scratch/called"
    while IFS= read -r page; do
        while IFS= read -r word; do
            [[ $word == *://* || -e $(dirname "$page")/$word ]] || echo "$page: no file $word"
        done < <(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//')
        while IFS= read -r word; do
            compgen -G "$word" >/dev/null || echo "$page: no file $word"
        done < <(grep -oE '`(src|mpi|io|jobs|configs|tests|\.ci)/[^` ]*`' "$page" | tr -d '`')
        while IFS= read -r word; do
            grep -qxF -e "$word(" "$scratch/called" || echo "$page: no function $word"
        done < <(grep -oE '`[A-Za-z_][A-Za-z0-9_]*\(\)`' "$page" | tr -d '`()')
    done < <(pages)
}

# The same of comments.
comments_name() {
    local file line word
    while IFS=' ' read -r file line word; do
        [[ -e $word ]] || echo "$file:$line: no file $word"
    done < <(code '*.[ch]' | xargs -0r awk '
        /^ *# *include/ { next }
        {
            text = $0
            while (match(text, /(src|mpi|io|jobs|configs|tests)\/[A-Za-z0-9_.\/-]+\.(h|c|sh|py|cfg|md)/)) {
                print FILENAME, FNR, substr(text, RSTART, RLENGTH)
                text = substr(text, RSTART + RLENGTH)
            }
        }')
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/symbols"
if [[ -d $build/CMakeFiles ]]; then
    symbol_uses >"$scratch/symbols"
else
    echo "no objects in $build: which files use each other is not checked"
fi
each_line functions
each_line heads
header_uses >"$scratch/headers"
folder_uses >"$scratch/folders"
each_line pages_name
each_line comments_name
each_line circles "headers include each other" <"$scratch/headers"
each_line circles "files use each other" <"$scratch/symbols"
each_line circles "folders need each other" <"$scratch/folders"

while IFS= read -r line; do
    violation "$line: an absolute path of one machine"
done < <(grep -rnE "(^|[\"'= (:])/(work|home|root|scratch|users|mnt|data)/" src mpi io jobs configs \
    tests .ci CMakeLists.txt --include='*.[ch]' --include='*.txt' --include='*.sh' \
    --include='*.sbatch' --include='*.cfg' --include='*.py' --include=run --include=submit --include=study \
    --exclude=structure_test.sh)

# Not a rule: how much of each folder's .c files is comment, in percent of the lines.
code '*.c' | xargs -0r awk -f "$rules/comments.awk"

[[ ! -e mpi/mpi.h ]] || violation "mpi/mpi.h: hides the library's own header"

if [[ $violations -gt 0 ]]; then
    if [[ $violations == 1 ]]; then echo '1 violation'; else echo "$violations violations"; fi
    exit 1
fi
echo "no violations"
