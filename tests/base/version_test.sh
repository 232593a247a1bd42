#!/usr/bin/env bash
# src/base/version.cmake: the commit of a working tree, whether files differ from it, and "unknown"
# for a source without its history, which may lie within another project's tree. $CMAKE: cmake.
set -euo pipefail
script=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/src/base/version.cmake
command -v git >/dev/null || { echo "skipped: git is not installed" && exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CEILING_DIRECTORIES=$folder
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b

# expect WHAT SOURCE PATTERN: the commit that is written for a source.
expect() {
    local text
    "${CMAKE:-cmake}" -DSOURCE="$folder/$2" -DOUTPUT="$folder/out.c" -P "$script"
    text=$(sed -nE 's/^const char version_commit\[\] = "(.*)";$/\1/p' out.c)
    [[ $text =~ $3 ]] || { echo "$1: got \"$text\", not $3" && exit 1; }
}

mkdir -p plain tree/within
expect "without git" plain '^unknown$'
git -C tree init -q
expect "no commit yet" tree '^unknown$'
echo 1 >tree/file
git -C tree add file
git -C tree commit -q -m one
expect "a commit" tree "^$(git -C tree rev-parse --short=12 HEAD)\$"
touch -d 2001-01-01 out.c
expect "the same commit" tree '^[0-9a-f]{12}$'
[[ $(date -r out.c +%Y) == 2001 ]] || { echo "an unchanged file was written anew" && exit 1; }
echo 2 >tree/file
expect "changed files" tree '^[0-9a-f]{12}-dirty$'
git -C tree tag -a -m v v9.8
expect "a tag" tree '^v9\.8-dirty$'
expect "within another tree" tree/within '^unknown$'
echo "all as expected"
