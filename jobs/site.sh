# Sourced by the scripts of this folder: the site's settings and modules, the program and what it says
# of a run. AUXSEG_JOBS: this folder.

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
# A site's modules may bring the program. Their shell functions read variables that are not set, and
# return what they like.
set +eu
load_modules || echo "load_modules (site.conf) ended with $?" >&2
set -eu
AUXSEG=${AUXSEG:-$(find_program)}
if [[ -z $AUXSEG ]]; then
    echo "the program is not there: build it (jobs/build.sh), or name it as AUXSEG in site.conf" >&2
    exit 2
fi

# plan_folder compare CONFIG --plan PLAN [ARGUMENT]...: prints the folder of a plan's runs, which are
# two levels below it.
plan_folder() {
    local first
    first=$("$AUXSEG" "$@" --list | awk -F'\t' 'NR == 1 { print $4 }')
    echo "${first%/*/*}"
}

# seconds_of LIMIT: prints a time limit of sbatch in seconds; nothing where it is none that has a
# length (UNLIMITED), or not one at all, which sbatch tells.
seconds_of() {
    local days=0 clock=$1 part
    if [[ $clock == *-* ]]; then days=${clock%%-*} clock=${clock#*-}:0:0; fi
    [[ $days$clock =~ ^[0-9]+(:[0-9]+)*$ ]] || return 0
    IFS=: read -ra part <<<"$clock"
    if [[ $1 == *-* ]]; then
        echo $((((10#$days * 24 + 10#${part[0]}) * 60 + 10#${part[1]}) * 60 + 10#${part[2]}))
    else
        case ${#part[@]} in
        1) echo $((10#${part[0]} * 60)) ;;
        2) echo $((10#${part[0]} * 60 + 10#${part[1]})) ;;
        3) echo $(((10#${part[0]} * 60 + 10#${part[1]}) * 60 + 10#${part[2]})) ;;
        esac
    fi
}

# too_short LIMIT LEAD: whether a job of this limit would be told to stop, LEAD seconds and up to one
# minute more before its end, before it has begun to work. A site's own --signal is not known here.
too_short() {
    local seconds
    seconds=$(seconds_of "$1")
    [[ -n $seconds && $seconds -le $(($2 + 60)) && "${SBATCH_OPTIONS[*]}" != *--signal* ]]
}

# run_folder CONFIG [--set KEY=VALUE]...: prints run.dir, the only key that is called `dir`.
run_folder() {
    "$AUXSEG" settings "$@" | sed -nE 's/^    dir = "(.*)";$/\1/p' | sed -E 's/\\(.)/\1/g'
}
