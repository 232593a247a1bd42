# Sourced by jobs/plan.sbatch, `plan.sh PLAN CONFIG [ARGUMENT]...`: a task of an array does one run of
# the plan (restart.sh: early stops), a job by itself collects them.
set -euo pipefail
. "$AUXSEG_JOBS/site.sh"
. "$AUXSEG_JOBS/restart.sh"

run_plan() {
    local plan=$1 config=$2 folder arguments
    shift 2
    arguments=(compare "$config" --plan "$plan" "$@")
    if [[ -z ${SLURM_ARRAY_TASK_ID:-} ]]; then
        # One process, without MPI. What is missing is not to be waited for: 75 is an end here.
        "$AUXSEG" "${arguments[@]}" --collect
        return
    fi
    # A task may do another run on its way, or wait for one: what any of them gains counts.
    folder=$(plan_folder "${arguments[@]}")
    start_program "$folder" -- "${arguments[@]}" --cell "$SLURM_ARRAY_TASK_ID"
}

run_plan "$@"
