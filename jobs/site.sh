# Sourced by jobs/submit and jobs/stage.sh: the site's settings and the run's folder.
# AUXSEG_JOBS: this folder.

. "$AUXSEG_JOBS/site.conf.example" # the defaults
if [[ -n ${AUXSEG_SITE:-} ]]; then
    . "$AUXSEG_SITE"
elif [[ -e $AUXSEG_JOBS/site.conf ]]; then
    . "$AUXSEG_JOBS/site.conf"
fi

# run_folder CONFIG [--set KEY=VALUE]...: prints run.dir, the only key that is called `dir`.
run_folder() {
    local config=$1 folder=
    shift
    while [[ $# -gt 0 ]]; do
        [[ $1 == --set && ${2:-} == run.dir=* ]] && folder=${2#run.dir=}
        shift
    done
    folder=${folder#\"}
    folder=${folder%\"}
    for config in "$config" "$AUXSEG_JOBS/../configs/default.cfg"; do
        [[ -z $folder ]] || break
        folder=$(sed -nE 's/^([^#"]*[^#"_a-zA-Z])?dir *[=:] *"([^"]*)".*/\2/p' "$config" | sed -n 1p)
    done
    printf '%s\n' "$folder"
}
