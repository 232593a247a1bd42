# Sourced by the scripts that run the program without a batch system: cores, and flags of mpirun.

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
