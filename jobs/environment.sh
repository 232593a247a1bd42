# Sourced by the scripts that build or run the program: packages, and flags of mpirun.
# AUXSEG_ROOT: the folder of the repository.
AUXSEG_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
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

# cores: how many processors this process may use (nproc alone obeys OMP_NUM_THREADS).
cores() {
    env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc
}

# mpirun_slots: how many ranks Open MPI starts unasked: one a core, not one a hardware thread.
mpirun_slots() {
    local physical
    physical=$(lscpu -p=core,socket 2>/dev/null | grep -v '^#' | sort -u | wc -l)
    echo $((physical > 0 && physical < $(cores) ? physical : $(cores)))
}

# mpirun_flags RANKS: what mpirun needs here, one flag a line; nothing for another MPI than Open MPI.
mpirun_flags() {
    command -v mpirun >/dev/null || return 0
    [[ $(mpirun --version 2>/dev/null) == *"Open MPI"* ]] || return 0
    # Open MPI ties a rank, with all its threads, to one core, and two jobs to the same ones.
    printf '%s\n' --bind-to none
    if [[ $(id -u) -eq 0 ]]; then printf '%s\n' --allow-run-as-root; fi
    if [[ $(mpirun_slots) -lt $1 ]]; then printf '%s\n' --oversubscribe; fi
}
