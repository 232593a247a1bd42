# Sourced by the scripts that build the program: its packages, and what jobs/mpirun.sh has.
# AUXSEG_ROOT: the folder of the repository.
AUXSEG_ROOT=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
. "$AUXSEG_ROOT/jobs/mpirun.sh"
AUXSEG_INSTALL= # the line that installs what is missing; empty where nothing is

# install_packages GROUP...: installs the packages of jobs/packages.txt's groups that are missing.
# Where neither root nor sudo allows it, prints the line to run and goes on: the libraries may come
# from modules or from CMAKE_PREFIX_PATH, and CMake names what it does not find.
install_packages() {
    command -v dpkg-query >/dev/null || return 0
    local group package missing=()
    while read -r group package _; do
        [[ " $* " == *" $group "* ]] || continue
        [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] ||
            missing+=("$package")
    done <"$AUXSEG_ROOT/jobs/packages.txt"
    [[ ${#missing[@]} -gt 0 ]] || return 0

    local root=()
    [[ $(id -u) -eq 0 ]] || root=(sudo)
    AUXSEG_INSTALL="${root[*]} apt-get install --no-install-recommends ${missing[*]}"
    AUXSEG_INSTALL=${AUXSEG_INSTALL# }
    if [[ ${#root[@]} -gt 0 ]] && ! sudo -n true 2>/dev/null; then
        printf 'Not installed, and neither root nor sudo is at hand. Run:\n  %s\n' \
            "$AUXSEG_INSTALL" >&2
        return 0
    fi
    printf 'Installing: %s\n' "${missing[*]}"
    root+=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=600)
    "${root[@]}" update || true # without a network the lists and files at hand may do
    if "${root[@]}" install --no-install-recommends "${missing[@]}"; then
        AUXSEG_INSTALL=
    else
        printf 'apt-get failed. By hand:\n  %s\n' "$AUXSEG_INSTALL" >&2
    fi
}
