# Sourced by the scripts of this folder: the site's settings, the program and what it says of a
# run. AUXSEG_JOBS: this folder.

# The program of the build that this folder belongs to, of the tree it is installed in, or on PATH.
find_program() {
    local program
    for program in "$AUXSEG_JOBS/../build/auxseg" "$AUXSEG_JOBS/../../../bin/auxseg"; do
        if [[ -x $program ]]; then
            realpath "$program"
            return
        fi
    done
    command -v auxseg || true
}

. "$AUXSEG_JOBS/site.conf.example" # the defaults
if [[ -n ${AUXSEG_SITE:-} ]]; then
    . "$AUXSEG_SITE"
elif [[ -e $AUXSEG_JOBS/site.conf ]]; then
    . "$AUXSEG_JOBS/site.conf"
fi
AUXSEG=${AUXSEG:-$(find_program)}
if [[ -z $AUXSEG ]]; then
    echo "the program is not there: build it (jobs/build.sh), or name it as AUXSEG in site.conf" >&2
    exit 2
fi

# plan_folder compare CONFIG --plan PLAN [ARGUMENT]...: prints the folder of a plan's runs, which are
# two levels below it.
plan_folder() {
    local first
    first=$("$AUXSEG" "$@" --list | head -n 1 | cut -f 4)
    echo "${first%/*/*}"
}

# run_folder CONFIG [--set KEY=VALUE]...: prints run.dir, the only key that is called `dir`.
run_folder() {
    "$AUXSEG" settings "$@" | sed -nE 's/^    dir = "(.*)";$/\1/p' | sed -E 's/\\(.)/\1/g'
}
