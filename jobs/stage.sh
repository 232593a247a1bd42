# Sourced by jobs/stage.sbatch, `stage.sh STAGE CONFIG [--set KEY=VALUE]...`: runs the job up to STAGE
# under srun, what is done already being skipped. A start that ends with 75 (stopped on request, state
# saved: the time limit is near, see --signal), or with 6 (a rank hung), puts the same job back into the
# queue, so that jobs that wait for it with afterok go on waiting.
set -euo pipefail
. "$AUXSEG_JOBS/site.sh"
MAX_STARTS_WITHOUT_GAIN=3

# gained: a sum over the names and sizes of the run's results so far; it changes with every step.
gained() {
    [[ -d $folder ]] || return 0 # the first start
    find "$folder" -type f \( -name '*.h5' -o -name '*.csv' -o -name '*.safetensors' -o \
        -name '*.html' -o -path '*/checkpoints/*' \) -printf '%P %s\n' 2>/dev/null | sort | cksum
}

# Prints why the job must not start again; nothing if it may.
refuse_restart() {
    local without="$folder/jobs/$SLURM_JOB_ID.without-gain"
    if [[ -e $folder/STOP ]]; then
        echo "remove $folder/STOP and submit again"
        return
    fi
    if [[ $(gained) != "$before" ]]; then
        rm -f "$without"
    else
        mkdir -p "$folder/jobs"
        echo "$(date -Is) start ${SLURM_RESTART_COUNT:-0}" >>"$without"
        if [[ $(wc -l <"$without") -ge $MAX_STARTS_WITHOUT_GAIN ]]; then
            echo "$MAX_STARTS_WITHOUT_GAIN starts in a row gained nothing (more --time?)"
            return
        fi
    fi
    if [[ ${SLURM_RESTART_COUNT:-0} -ge $MAX_RESTARTS ]]; then
        echo "it has been restarted $MAX_RESTARTS times (MAX_RESTARTS in site.conf)"
    fi
}

run_stage() {
    local stage=$1 config=$2 code=0 reason settings
    shift 2
    settings=("$@")
    load_modules
    folder=$(run_folder "$config" "${settings[@]}")
    # A task of an array is the run of one seed.
    if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
        folder+=/seed-$SLURM_ARRAY_TASK_ID
        settings+=(--set run.seed="$SLURM_ARRAY_TASK_ID" --set run.dir="$folder")
    fi
    [[ $stage == run ]] || settings+=(--set run.until="$stage")
    before=$(gained)
    export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1} SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}
    # The first rank that leaves with 75 makes srun send SIGTERM to the others: the program takes it
    # for one more request to stop, so that they leave with 75 too.
    srun --mpi="$MPI_FLAVOUR" --kill-on-bad-exit=1 --cpu-bind=cores "${SRUN_OPTIONS[@]}" \
        "$AUXSEG" run "$config" "${settings[@]}" || code=$?
    [[ $code -eq 75 || $code -eq 6 ]] || return "$code"
    reason=$(refuse_restart)
    if [[ -n $reason ]]; then
        echo "stopped early and not put back into the queue: $reason" >&2
        return "$code"
    fi
    [[ $code -eq 75 ]] || echo "a rank hung (its line in the log says which, and on which node)"
    echo "stopped early, state saved: job $SLURM_JOB_ID goes back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
}

run_stage "$@"
