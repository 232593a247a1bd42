#!/usr/bin/env bash
# The program carries the guards that CMakeLists.txt asks for (AUXSEG_HARDEN), which a flag of a site
# or a change of a target may take away without a word. $AUXSEG: the program.
set -euo pipefail
# guard WHAT PATTERN READELF-ARGUMENT...
guard() {
    local what=$1 pattern=$2 about
    shift 2
    about=$(readelf -W "$@" "$AUXSEG")
    grep -qE "$pattern" <<<"$about" || { echo "$AUXSEG: no $what" && exit 1; }
}
guard "position-independent code (PIE)" 'Type: +DYN' -h
guard "read-only relocations (RELRO)" 'GNU_RELRO' -l
guard "binding at the start (BIND_NOW)" 'BIND_NOW|Flags:.*NOW' -d
guard "stack protector" '__stack_chk_fail' --dyn-syms
guard "checked copies (FORTIFY)" '__[a-z]+_chk@' --dyn-syms
guard "stack that does not run" 'GNU_STACK .* RW ' -l
