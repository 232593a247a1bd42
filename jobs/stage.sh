# Sourced by jobs/stage.sbatch, `stage.sh STAGE CONFIG [--set KEY=VALUE]...`: runs the job up to STAGE
# under srun, what is done already being skipped (restart.sh: early stops).
set -euo pipefail
. "$AUXSEG_JOBS/site.sh"
. "$AUXSEG_JOBS/restart.sh"

run_stage() {
    local stage=$1 config=$2 folder settings
    shift 2
    settings=("$@")
    folder=$(run_folder "$config" "${settings[@]}")
    # A task of an array is the run of one seed.
    if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
        folder+=/seed-$SLURM_ARRAY_TASK_ID
        settings+=(--set run.seed="$SLURM_ARRAY_TASK_ID" --set run.dir="$folder")
    fi
    [[ $stage == run ]] || settings+=(--set run.until="$stage")
    start_program "$folder" -- run "$config" "${settings[@]}"
}

run_stage "$@"
