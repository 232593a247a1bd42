#!/usr/bin/env bash
# tests/debian.sh SUITE [FOLDER [COMMAND]...]: makes a bare Debian (bookworm: 12, trixie: 13) in
# FOLDER (${TMPDIR:-/tmp}/auxseg-SUITE) with debootstrap, unless it is there, and runs COMMAND in
# it, in a copy of this tree (bash tests/run.sh). Root only. The copy's ../shared is $AUXSEG_SHARED
# (../shared), read-only. Mounts and processes end with the command.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

suite=${1:?bookworm or trixie}
root=$(realpath -m "${2:-${TMPDIR:-/tmp}/auxseg-$suite}")
command=("${@:3}")
[[ ${#command[@]} -gt 0 ]] || command=(bash tests/run.sh)
if [[ $(id -u) -ne 0 ]]; then
    echo "debian.sh: only root can make another Debian and enter it" >&2
    exit 2
fi
command -v debootstrap >/dev/null || apt-get -y -q install debootstrap

if [[ ! -e $root/etc/debian_version ]]; then
    debootstrap --variant=minbase "$suite" "$root"
    # Packages must not start their daemons in there.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
fi
cp /etc/hosts /etc/resolv.conf "$root/etc/"
copy=$root/auxseg/tree
mkdir -p "$copy"
# What an earlier copy held and the tree no longer has must go; builds in there are kept.
find "$copy" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -rf {} +
tar -C "$tree" --exclude=./.git --exclude='./build*' --exclude=./runs -cf - . | tar -C "$copy" -xf -

shared=${AUXSEG_SHARED:-$tree/../shared}
[[ -d $shared ]] || shared=
unshare --mount --pid --fork --kill-child bash -euc '
    root=$1 shared=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    if [[ -n $shared ]]; then
        mkdir -p "$root/auxseg/shared"
        mount --bind -o ro "$shared" "$root/auxseg/shared"
    fi
    exec chroot "$root" env -i PATH="$PATH" TERM=dumb HOME=/root LANG=C.UTF-8 \
        bash -c "cd /auxseg/tree && exec \"\$@\"" bash "$@"' bash "$root" "$shared" "${command[@]}"
