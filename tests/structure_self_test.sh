#!/usr/bin/env bash
# Tests the test of the source tree: a small tree that keeps every rule passes, and each rule, broken
# in that tree, is named with its file.
set -euo pipefail
rules=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
export AUXSEG_BUILD=$tree/build
failures=0

fail() {
    printf 'FAIL: %s\n' "$*"
    failures=$((failures + 1))
}

# Every folder that has a rule, each with one file that keeps all of them.
cd "$tree"
mkdir -p jobs configs tests .ci build/CMakeFiles
touch CMakeLists.txt .ci/run
for folder in $(sed -nE 's/^may_include ([^ ]+).*/\1/p' "$rules/structure_test.sh"); do
    mkdir -p "$folder"
    printf '/* A file of %s that does nothing, which is all that it is for here. */\n\nint x;\n' \
        "$folder" >"$folder/nothing.c"
done

if ! said=$(bash "$rules/structure_test.sh" "$tree" 2>&1); then
    fail "a tree that keeps the rules: $said"
fi

# breaks TEXT: the tree as it now is breaks one rule, and TEXT is in what is said of it. Then
# everything that the case added, folder `case` in its files' names, goes.
breaks() {
    local said
    if said=$(bash "$rules/structure_test.sh" "$tree" 2>&1); then
        fail "not found: $1"
    elif ! grep -qF -e "$1" <<<"$said"; then
        fail "expected \"$1\", found: $said"
    elif [[ $said != *$'\n1 violation' ]]; then
        fail "more than \"$1\": $said"
    fi
    find "$tree" -name 'case*' -prune -exec rm -rf {} +
}

# file PATH: a file with a head of its own and then what comes in.
files=0
file() {
    mkdir -p "$(dirname "$1")"
    files=$((files + 1))
    {
        [[ $1 == *.h ]] ||
            printf '/* File %d of those that break one rule each, to see it found. */\n\n' $files
        cat
    } >"$1"
}

# object PATH: PATH.c compiled where CMake would leave it.
object() {
    local out="$AUXSEG_BUILD/CMakeFiles/auxseg_case.dir/$1.c.o"
    local compiler # maybe of two words: ccache gcc
    read -ra compiler <<<"${CC:-cc}"
    mkdir -p "$(dirname "$out")"
    "${compiler[@]}" -c "$1.c" -o "$out"
}

file src/base/case.c <<<'#include "mpi/comm.h"'
breaks 'src/base/case.c:3 includes mpi/comm.h: src/base may include only'

file src/other/case.c <<<'int y;'
breaks 'src/other: no rule says what it may include'
rmdir src/other

file src/label/case.c <<<'#include <hdf5.h>'
breaks 'src/label/case.c:3 includes (hdf5'

file src/base/case.c < <(seq -f '/* %g */' 500)
breaks 'src/base/case.c has 502 lines: at most 500'

place=/ho && place+=me/me
file src/base/case.c <<<"const char *path = \"$place\";"
breaks "src/base/case.c:3:const char *path = \"$place\";: an absolute path of one machine"

file src/base/case.c < <(printf 'int long_one(void) {\n'; seq -f '    f(%g);' 59; printf '}\n')
breaks 'src/base/case.c:3 long_one has 61 lines: at most 60'

file src/base/case.h <<<'typedef int (*many)(int, int, int, int (*)(int, int), int, int,
    int /* , */, int, int);'
breaks 'src/base/case.h:1 many has 9 parameters: at most 8'

file src/base/case.c <<<'static int many(int a, int b, int c, int d, int e, int f, int g, int h, int i) {
}'
breaks 'src/base/case.c:3 many has 9 parameters: at most 8'

file src/base/case.h <<<'struct holder {
    struct {
        int (*member)(int, int, int, int, int, int, int, int, int);
    } inner;
};'
breaks 'src/base/case.h:3 member has 9 parameters: at most 8'

printf '#include <stdio.h>\n/* Too late to be the head of a file, however much it says. */\n' \
    >src/base/case.c
breaks 'src/base/case.c:1 begins without a comment that says what it is for'

printf '/* case.c - case.c, a file that is case.c. */\nint y;\n' >src/base/case.c
breaks 'src/base/case.c:1 says too little of what it is for'

cp src/base/nothing.c src/base/case.c
breaks 'src/base/nothing.c:1 says the same as src/base/case.c'

file src/base/case_a.h <<<'#include "src/base/case_b.h"'
file src/base/case_b.h <<<'#include "src/base/case_c.h"'
file src/base/case_c.h <<<'#include "src/base/case_a.h"'
breaks 'headers include each other in a circle: src/base/case_a.h src/base/case_b.h src/base/case_c.h'

file src/base/case_a.c <<<'int case_b(void);
int case_a(void) { return case_b(); }'
file src/base/case_b.c <<<'int case_a(void);
int case_b(void) { return case_a(); }'
object src/base/case_a
object src/base/case_b
breaks 'files use each other in a circle: src/base/case_a.c src/base/case_b.c'

# One half of the circle is an include, the other a symbol whose declaration is no include.
file src/base/case_a.c <<<'int case_b(void);
int case_a(void) { return case_b(); }'
file src/image/case_b.c <<<'int case_b(void) { return 0; }'
file src/image/case_c.c <<<'#include "src/base/case_a.h"'
object src/base/case_a
object src/image/case_b
breaks 'folders need each other in a circle: src/base src/image'

printf 'See [the tree](../src/case/nowhere.md) and [this](case.md).\n' >src/case.md
breaks 'src/case.md: no file ../src/case/nowhere.md'
printf 'See `src/base/nothing.c` and `src/base/case.h`.\n' >src/case.md
breaks 'src/case.md: no file src/base/case.h'
file src/base/case.h <<<'int is_there(void);'
printf 'It calls `is_there()` and `is_not()`.\n' >src/case.md
breaks 'src/case.md: no function is_not'
file src/base/case.h <<<'/* As src/base/nothing.c and src/base/nowhere.h. */'
breaks 'src/base/case.h:1: no file src/base/nowhere.h'

touch mpi/mpi.h
breaks "mpi/mpi.h: hides the library's own header"
rm mpi/mpi.h

if ((failures > 0)); then exit 1; fi
echo "every rule is told from its breach"
