# Without a batch system: cores, and mpirun. Sourced by scripts; or by itself, in place of `mpirun`,
# `bash jobs/mpirun.sh -n 4 auxseg run CONFIG`: told to stop (TERM, INT, HUP; Ctrl-C), it ends with
# 75, the state saved, where mpirun itself would end with 1. The second time it ends at once.

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

# mpirun_told ARGUMENT...: mpirun, in a session of its own, so that Ctrl-C does not reach it: it would
# give its ranks a second. USR1 it hands on to them, and waits.
mpirun_told() {
    local code=0 told=0
    setsid mpirun "$@" &
    local pid=$!
    # shellcheck disable=SC2064 # of this mpirun
    trap "told=\$((told + 1)); [[ \$told -gt 1 ]] && kill -TERM $pid || kill -USR1 $pid" TERM INT HUP
    # A signal ends the wait, not mpirun.
    while kill -0 "$pid" 2>/dev/null; do
        code=0
        wait "$pid" || code=$?
    done
    trap - TERM INT HUP
    return "$code"
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || mpirun_told "$@"
