# Sourced by jobs/stage.sh, jobs/plan.sh and jobs/study.sbatch: one start of a job. A start that ends with 75 (stopped
# on request, state saved: the time limit is near, see --signal), with 6 (a rank hung) or with 137 (a
# rank was killed) puts the same job back into the queue, so that jobs that wait for it go on waiting.
MAX_STARTS_WITHOUT_GAIN=3
MAX_STARTS_KILLED=3

# gained FOLDER...: a sum over the names and sizes of the results there so far, and over what lists of
# things done hold, which are as long as all of them from the beginning; it changes with every step.
# Other tasks of a plan write there, too: a file that is gone before find has looked at it, or a
# folder that cannot be read, must not end the job (pipefail).
gained() {
    local folder
    for folder in "$@"; do
        [[ -d $folder ]] || continue # the first start
        { find "$folder" -ignore_readdir_race -type f \( -name '*.h5' -o -name '*.csv' -o \
            -name '*.safetensors' -o -name '*.html' -o -path '*/checkpoints/*' -o \
            -path '*/measurements/*' \) -printf '%P %s\n' 2>/dev/null || true; } | sort
        { find "$folder" -ignore_readdir_race -type f -name '*.state' -exec cksum {} + 2>/dev/null ||
            true; } | sort
    done | cksum
}

# job_alone: what scontrol takes for this job. In an array the number of one task is the array's, too:
# by it all tasks go back into the queue, those that run being killed, those that are done beginning anew.
job_alone() {
    if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
        echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    else
        echo "$SLURM_JOB_ID"
    fi
}

# refuse_killed FOLDER CODE: prints why a job that was killed must not start again: several starts in a
# row ended so, which no node's fault explains. Memory that is too small is so on each of them.
refuse_killed() {
    local killed="$1/jobs/$SLURM_JOB_ID.killed"
    if [[ $2 -ne 137 ]]; then
        rm -f "$killed"
        return
    fi
    mkdir -p "$1/jobs"
    echo "$(date -Is) start ${SLURM_RESTART_COUNT:-0}" >>"$killed"
    if [[ $(wc -l <"$killed") -ge $MAX_STARTS_KILLED ]]; then
        echo "$MAX_STARTS_KILLED starts in a row were killed (more --mem?)"
    fi
}

# refuse_restart BEFORE FOLDER...: prints why the job must not start again; nothing if it may. BEFORE:
# what `gained` said before this start; of the folders the first is the run's.
refuse_restart() {
    local before=$1 folder=$2
    shift
    local without="$folder/jobs/$SLURM_JOB_ID.without-gain"
    if [[ -e $folder/STOP ]]; then
        echo "remove $folder/STOP and submit again"
        return
    fi
    if [[ $(gained "$@") != "$before" ]]; then
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

# requeue JOB CODE: puts the job back into the queue; CODE, the program's, where that cannot be had. A
# controller that many jobs ask at once may not answer the first time.
requeue() {
    local try
    for try in 1 2 3 4 5; do
        scontrol requeue "$1" && return 0
        [[ $try -eq 5 ]] || sleep "${REQUEUE_SECONDS:-20}"
    done
    echo "job $1 could not be put back into the queue: submit again" >&2
    return "$2"
}

# start_program FOLDER... -- ARGUMENT...: the program under srun. FOLDER...: where its results go, its
# run's folder first.
start_program() {
    local code=0 reason before job folders=()
    while [[ $1 != -- ]]; do folders+=("$1") && shift; done
    shift
    before=$(gained "${folders[@]}")
    export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1} SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}
    # The first rank that leaves with 75 makes srun send SIGTERM to the others: the program takes it
    # for one more request to stop, so that they leave with 75 too.
    srun --mpi="$MPI_FLAVOUR" --kill-on-bad-exit=1 --cpu-bind=cores "${SRUN_OPTIONS[@]}" \
        "$AUXSEG" "$@" || code=$?
    [[ $code -eq 75 || $code -eq 6 || $code -eq 137 ]] || return "$code"
    reason=$(refuse_killed "${folders[0]}" "$code")
    [[ -n $reason ]] || reason=$(refuse_restart "$before" "${folders[@]}")
    if [[ -n $reason ]]; then
        echo "ended early and not put back into the queue: $reason" >&2
        return "$code"
    fi
    job=$(job_alone)
    if [[ $code -eq 75 ]]; then
        echo "stopped early, state saved: job $job goes back into the queue"
    elif [[ $code -eq 137 ]]; then
        echo "a rank was killed (out of memory, or hung: its line in the log says so): job $job" \
            "goes back into the queue, to go on from what was saved last"
    else
        echo "a rank hung (its line in the log says which, and on which node): job $job goes back" \
            "into the queue, to go on from what was saved last"
    fi
    requeue "$job" "$code"
}
