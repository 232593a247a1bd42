#!/usr/bin/env bash
# jobs/submit and jobs/stage.sbatch against stand-ins of sbatch, srun and scontrol that note how they
# were called: the chain of jobs, the restart of a job that stopped early, and when it is refused.
# The program itself, $AUXSEG, says what a run's stages and its folder are.
set -euo pipefail
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../jobs" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0

# expect WHAT ACTUAL EXPECTED
expect() {
    [[ $2 == "$3" ]] && return 0
    printf '%s: got\n%s\nexpected\n%s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
}

mkdir bin run
export PATH=$folder/bin:$PATH AUXSEG_SITE=$folder/site.conf
cat >site.conf <<SITE
MPI_FLAVOUR=pmi2
AUXSEG=$folder/bin/auxseg
SBATCH_OPTIONS=(--account=a)
MAX_RESTARTS=5
SITE
real=$AUXSEG
export AUXSEG= # the site's
cat >run.cfg <<'CFG'
# dir = "not this"
dataset: { root = "data"; };
run: { seed = 1; compare = false; dir = "run"; };
model: { weights = "w.safetensors"; };
CFG
cat >bin/sbatch <<'FAKE'
#!/bin/bash
echo "$*" >>sbatch.calls
echo "$((100 + $(wc -l <sbatch.calls)))"
FAKE
cat >bin/srun <<'FAKE'
#!/bin/bash
echo "$* cpus=$SRUN_CPUS_PER_TASK" >>srun.calls
for to in run "run/a plan/k50"; do
    [[ ! -e gain || ! -d $to ]] || echo step >>"$to/metrics.csv"
done
[[ ! -e list ]] || cp list run/checkpoints/pack.state
exit "$(cat code)"
FAKE
cat >bin/scontrol <<FAKE
#!/bin/bash
if [[ \$1 == show ]]; then
    printf 'JobId=7 JobName=auxseg\n   Command=%s\n   WorkDir=/a/b\n' "\$(cat job.command)"
else
    echo "\$*" >>scontrol.calls
fi
FAKE
cat >bin/auxseg <<FAKE
#!/bin/bash
case \$1 in
check) [[ \$2 == run.cfg ]] ;;
compare)
    echo "\$*" >>compare.calls
    [[ \$4 != unknown ]] || exit 2
    printf '%s\t%s\t%s\t%s\n' 1 plain 1 'run/a plan/plain/seed-1' 2 k50 1 'run/a plan/k50/seed-1' ;;
*) exec "$real" "\$@" ;;
esac
FAKE
chmod +x bin/*
echo "$jobs/stage.sbatch pack run.cfg" >job.command # of the job, as Slurm knows it

# jobs_submitted: the stages whose jobs were submitted, in order.
jobs_submitted() {
    sed -nE 's/.*--job-name=auxseg-([a-z]+) .*/\1/p' sbatch.calls | paste -sd' '
    rm sbatch.calls
}

# The chain: the stages that the settings ask for, and no job for those that they leave out.
"$jobs/submit" run.cfg --nodes 2 --ranks-per-node 4 --threads 8 --set a.b=1 >submit.out 2>&1 &&
    expect "a setting that does not exist" "submitted" "refused"
"$jobs/submit" run.cfg --nodes 2 --ranks-per-node 4 --threads 8 --set cluster.k=7 >submit.out
expect "second job" "$(sed -n 2p sbatch.calls)" "--parsable --export=ALL --account=a --job-name=auxseg-cluster \
--nodes=2 --ntasks-per-node=4 --cpus-per-task=8 --dependency=afterok:101 --kill-on-invalid-dep=yes \
--output=run/jobs/cluster-%j.log $jobs/stage.sbatch cluster run.cfg --set cluster.k=7"
expect "features are not kept" "$(jobs_submitted)" \
    "pack cluster score pretrain finetune evaluate report"
"$jobs/submit" run.cfg --set extract.keep=true --set run.compare=true >submit.out
expect "features are kept, the baseline is made" "$(jobs_submitted)" \
    "pack baseline extract cluster score pretrain finetune evaluate report"
"$jobs/submit" run.cfg --stages pretrain,finetune >submit.out
expect "two stages" "$(jobs_submitted)" "pretrain finetune"
"$jobs/submit" run.cfg --whole --time 1:00:00 --set=run.dir=a/b >submit.out 2>&1 &&
    expect "--set=" "accepted" "refused"
"$jobs/submit" run.cfg --whole --time 1:00:00 --set 'run.dir=a "b' >submit.out
expect "whole job" "$(cat sbatch.calls)" "--parsable --export=ALL --account=a --job-name=auxseg-run --nodes=1 \
--ntasks-per-node=1 --cpus-per-task=1 --time=1:00:00 --output=a \"b/jobs/run-%j.log \
$jobs/stage.sbatch run run.cfg --set run.dir=a \"b"
rm sbatch.calls
"$jobs/submit" run.cfg --stages pack,cluster --nodes 2 --stage-nodes cluster=16 --mem 64G >submit.out
expect "nodes of a stage, memory" "$(grep -oE -- '--(nodes|mem)=[0-9A-Z]+' sbatch.calls | paste -sd' ')" \
    "--nodes=2 --mem=64G --nodes=2 --mem=64G --nodes=16"
rm sbatch.calls
"$jobs/submit" run.cfg --stages pack --stage-nodes cluster=16 >submit.out 2>&1 &&
    expect "nodes of a stage that is not submitted" "accepted" "refused"
"$jobs/submit" run.cfg --stage-nodes cluster=0 >submit.out 2>&1 &&
    expect "no nodes" "accepted" "refused"
"$jobs/submit" run.cfg --stages pack,cluster --after 12,7 >submit.out
expect "joining a chain" "$(grep -o -- '--dependency=[a-z0-9:]*' sbatch.calls | paste -sd' ')" \
    "--dependency=afterany:12:7 --dependency=afterok:101"
rm sbatch.calls
"$jobs/submit" run.cfg --plan clusters --after 12 >submit.out
expect "a plan that joins a chain" \
    "$(grep -o -- '--dependency=[a-z0-9:]*' sbatch.calls | paste -sd' ')" \
    "--dependency=afterany:12 --dependency=afterany:101"
rm sbatch.calls compare.calls
"$jobs/submit" run.cfg --seeds 1-3 --stages pack,cluster >submit.out
expect "a chain for seeds" "$(cat sbatch.calls)" "--parsable --export=ALL --account=a --job-name=auxseg-pack \
--nodes=1 --ntasks-per-node=1 --cpus-per-task=1 --array=1-3 --output=run/jobs/pack-%A_%a.log \
$jobs/stage.sbatch pack run.cfg
--parsable --export=ALL --account=a --job-name=auxseg-cluster --nodes=1 --ntasks-per-node=1 --cpus-per-task=1 \
--array=1-3 --dependency=aftercorr:101 --kill-on-invalid-dep=yes \
--output=run/jobs/cluster-%A_%a.log $jobs/stage.sbatch cluster run.cfg"
rm sbatch.calls
"$jobs/submit" run.cfg --plan clusters --ranks-per-node 3 --seeds 1-3 --at-once 4 --set cluster.k=7 >submit.out
plan=("$jobs/plan.sbatch" clusters run.cfg --seeds 1-3 --set cluster.k=7)
expect "a plan" "$(cat sbatch.calls)" "--parsable --export=ALL --account=a --job-name=auxseg-cells --nodes=1 \
--ntasks-per-node=3 --cpus-per-task=1 --array=1-2%4 --output=run/a plan/jobs/cells-%A_%a.log \
${plan[*]}
--parsable --export=ALL --account=a --job-name=auxseg-collect --nodes=1 --ntasks-per-node=1 --cpus-per-task=1 \
--dependency=afterany:101 --kill-on-invalid-dep=yes --output=run/a plan/jobs/collect-%j.log \
${plan[*]}"
expect "its list" "$(sort -u compare.calls)" \
    "compare run.cfg --plan clusters --seeds 1-3 --set cluster.k=7 --list"
rm sbatch.calls
# In the run's order, whatever the words' is; whoever calls is stronger than the site.
"$jobs/submit" run.cfg --stages cluster,pack --time 7 >submit.out
expect "order of stages" "$(jobs_submitted)" "pack cluster"
# A job that sbatch refuses takes those before it with it.
cat >bin/scancel <<'FAKE'
#!/bin/bash
echo "$*" >>scancel.calls
FAKE
cp bin/sbatch bin/accepts
sed '2i [[ $(wc -l <sbatch.calls) -lt 2 ]] || exit 1' bin/accepts >bin/sbatch
chmod +x bin/*
touch sbatch.calls
code=0
"$jobs/submit" run.cfg >submit.out 2>&1 || code=$?
expect "sbatch refuses" "$code $(cat scancel.calls)" "1 101 102"
expect "which is said" "$(grep -c 'cancelled those before it: 101 102' submit.out)" 1
mv bin/accepts bin/sbatch
rm sbatch.calls
# Modules whose functions read what is not set and return what they like; they bring the program.
cp site.conf modules.conf
cat >>modules.conf <<MODULES
AUXSEG=
load_modules() {
    AUXSEG=$folder/bin/auxseg\$NO_SUCH_VARIABLE
    false
    return 3
}
MODULES
AUXSEG_SITE=modules.conf CDPATH=.:/ "$jobs/submit" run.cfg --whole >submit.out 2>&1 || true
expect "modules" "$(jobs_submitted)" "run"
expect "what they return is said" "$(grep -c 'load_modules (site.conf) ended with 3' submit.out)" 1
for wrong in "" "absent.cfg" "run.cfg --stages pack,x" "run.cfg --stages extract" "run.cfg --nodes 0" \
    "run.cfg --what" "run.cfg --after x" "run.cfg --time 6" "run.cfg --time 0:05:59" \
    "run.cfg --stages ," "run.cfg --seeds 1,x" "run.cfg --set run.sed=1" "run.cfg --plan unknown" \
    "run.cfg --plan clusters --whole" "run.cfg --plan clusters --at-once 0" "run.cfg --at-once 2"; do
    code=0
    # shellcheck disable=SC2086
    "$jobs/submit" $wrong >submit.out 2>&1 || code=$?
    expect "submit $wrong" "$code" 2
done
"$jobs/submit" run.cfg --dry-run >submit.out
expect "dry run submits" "$(ls sbatch.calls 2>/dev/null)" ""
expect "dry run" "$(wc -l <submit.out)" 7
expect "the job's restart" "$(grep -c -- '--requeue --open-mode=append --signal=USR1@300' \
    "$jobs/stage.sbatch")" 1

cp "$jobs/stage.sbatch" copy # as Slurm does
# start CODE RESTARTS: one start of the job; prints its exit code and what went to scontrol.
start() {
    local code=0
    echo "$1" >code
    rm -f scontrol.calls
    SLURM_JOB_ID=7 SLURM_RESTART_COUNT=$2 SLURM_CPUS_PER_TASK=3 \
        bash "$folder/copy" pack run.cfg --set cluster.k=7 >stage.out 2>&1 || code=$?
    echo "$code $(cat scontrol.calls 2>/dev/null)"
}
expect "done" "$(start 0 0)" "0 "
expect "srun" "$(cat srun.calls)" "--mpi=pmi2 --kill-on-bad-exit=1 --cpu-bind=cores \
$folder/bin/auxseg run run.cfg --set cluster.k=7 --set run.until=pack cpus=3"
expect "data error" "$(start 3 0)" "3 "
touch gain
for restart in 0 1 2 3 4; do expect "stopped, $restart" "$(start 75 $restart)" "0 requeue 7"; done
expect "a rank hung" "$(start 6 1)" "0 requeue 7"
expect "restarted too often" "$(start 75 5)" "75 "
rm gain
# Lists of what is done are as long as all of it from the beginning.
mkdir run/checkpoints
for list in xooo xxoo xxxo xxxx; do
    echo "$list" >list
    expect "a list goes on, $list" "$(start 75 1)" "0 requeue 7"
done
rm -r list run/checkpoints
expect "no gain, first" "$(start 75 1)" "0 requeue 7"
expect "no gain, second" "$(start 75 2)" "0 requeue 7"
expect "no gain, third" "$(start 75 3)" "75 "
touch gain
expect "gain again" "$(start 75 4)" "0 requeue 7"
rm gain
expect "no gain, counted anew" "$(start 75 4)" "0 requeue 7"

# Killed: by what takes memory back, or after a hang.
touch gain
for restart in 0 1; do expect "killed, $restart" "$(start 137 $restart)" "0 requeue 7"; done
expect "killed too often" "$(start 137 2)" "137 "
expect "which is said" "$(grep -c '3 starts in a row were killed (more --mem?)' stage.out)" 1
expect "no longer killed" "$(start 75 3)" "0 requeue 7"
expect "killed, counted anew" "$(start 137 4)" "0 requeue 7"
expect "killed, restarted too often" "$(start 137 5)" "137 "
rm gain
expect "killed without gain" "$(start 75 1) $(start 75 2) $(start 137 3)" \
    "0 requeue 7 0 requeue 7 137 "

# A find that fails after all that it has found (as root it reads every folder): the program starts, and
# what it gains is seen.
mkdir failing
printf '#!/bin/bash\n%q "$@"\nexit 1\n' "$(command -v find)" >failing/find
chmod +x failing/find
path=$PATH
PATH=$folder/failing:$PATH
touch gain
expect "find fails" "$(start 0 0)" "0 "
expect "find fails, stopped" "$(start 75 0)" "0 requeue 7"
rm gain
expect "find fails, no gain" "$(start 75 1) $(start 75 2) $(start 75 3)" "0 requeue 7 0 requeue 7 75 "
PATH=$path

touch gain run/STOP
expect "told to stop by a file" "$(start 75 0)" "75 "
expect "which is named" "$(grep -c "remove run/STOP" stage.out)" 1
rm run/STOP

rm srun.calls
SLURM_JOB_ID=8 SLURM_ARRAY_JOB_ID=8 SLURM_ARRAY_TASK_ID=4 bash copy run run.cfg >stage.out 2>&1 || true
expect "a seed" "$(cat srun.calls)" "--mpi=pmi2 --kill-on-bad-exit=1 --cpu-bind=cores \
$folder/bin/auxseg run run.cfg --set run.seed=4 --set run.dir=run/seed-4 cpus=1"

# Where the scripts are, by Slurm's word: a path with spaces; arguments that look like one; none at all.
ln -s "$jobs" "a tree"
for line in "a tree/stage.sbatch" "a tree/stage.sbatch run b/stage.sbatch c" "$jobs/stage.sbatch run b/c"; do
    echo "$line" >job.command
    expect "$line" "$(start 0 0)" "0 "
done
cp "$jobs/plan.sbatch" copy
for line in "a tree/plan.sbatch" "a tree/plan.sbatch a/plan.sbatch b" "$jobs/plan.sbatch b/c"; do
    echo "$line" >job.command
    code=0
    SLURM_JOB_ID=10 bash copy clusters run.cfg >plan.out 2>&1 || code=$?
    expect "$line" "$code" 0
done

# A task of a plan; the last job collects, as one process.
mkdir -p "run/a plan/k50"
# task NUMBER CODE: one start of it; prints its exit code and what went to scontrol. Its number as a job
# is the array's, as that of one task of each array is.
task() {
    local code=0
    echo "$2" >code
    rm -f scontrol.calls
    SLURM_JOB_ID=9 SLURM_ARRAY_JOB_ID=9 SLURM_ARRAY_TASK_ID=$1 AUXSEG_JOBS=$jobs \
        bash "$folder/copy" clusters run.cfg --set cluster.k=7 >plan.out 2>&1 || code=$?
    echo "$code $(cat scontrol.calls 2>/dev/null)"
}
rm srun.calls
expect "a task" "$(task 2 0)" "0 "
expect "its cell" "$(cat srun.calls)" "--mpi=pmi2 --kill-on-bad-exit=1 --cpu-bind=cores \
$folder/bin/auxseg compare run.cfg --plan clusters --set cluster.k=7 --cell 2 cpus=1"
rm gain
expect "stopped: no other task goes back" "$(task 2 75)" "0 requeue 9_2"
expect "which is said" "$(grep -c "job 9_2 goes back" plan.out)" 1
expect "stopped again" "$(task 2 75)" "0 requeue 9_2"
touch gain # of a run that it does on its way, or waits for
expect "gained by another" "$(task 2 75)" "0 requeue 9_2"
rm gain
for start in 1 2; do expect "no gain, $start" "$(task 2 75)" "0 requeue 9_2"; done
expect "no gain" "$(task 2 75)" "75 "
touch "run/a plan/STOP"
expect "told to stop by a file" "$(task 2 75)" "75 "
rm srun.calls compare.calls "run/a plan/STOP"
SLURM_JOB_ID=10 AUXSEG_JOBS=$jobs bash copy clusters run.cfg >plan.out 2>&1 || true
expect "the last job" "$(cat compare.calls)" "compare run.cfg --plan clusters --collect"
expect "starts no ranks" "$(ls srun.calls 2>/dev/null)" ""

# The table of seeds: paired gains of 2 and 4 points, Student's interval.
for seed in 1 2; do
    mkdir -p seeds/seed-$seed
    printf '{"results": {\n"baseline": {\n"mIoU": 0.5\n},\n"finetuned": {\n"mIoU": 0.5%s\n}}}\n' \
        $((seed * 2)) >seeds/seed-$seed/run.json
done
mkdir seeds/seed-3 seeds/seed-4
"$jobs/seeds.sh" --table seeds 1 2 3 >seeds.out 2>&1
expect "gains" "$(tail -n 1 seeds.out)" \
    "mean +3.00, standard deviation 1.41, 95 % interval -9.71 to +15.71"
expect "a run that has none" "$(grep -c "   3   has no results yet" seeds.out)" 1
# As the program writes it: stages are called as groups are, and what validation saw stands before them.
cat >seeds/seed-4/run.json <<'RECORD'
{
  "inputs": {
    "baseline": "c9ee7c12526fffc2"
  },
  "stages": {
    "baseline": {
      "output": "baseline.safetensors",
      "phases": {
        "input": {
          "min": 0.25
        }
      }
    },
    "evaluate-finetuned": {
      "output": "confusion-finetuned.csv"
    }
  },
  "results": {
    "validation-baseline": {
      "mIoU": 0.91000000000000003,
      "step": 40.0
    },
    "validation-finetune": {
      "mIoU": 0.92000000000000004,
      "step": 60.0
    },
    "finetuned/IoU": {
      "mIoU": 0.93000000000000005
    },
    "finetuned": {
      "mIoU": 0.62,
      "mAcc": 0.75
    },
    "baseline": {
      "mAcc": 0.75,
      "mIoU": 0.5
    }
  },
  "hashes": {
    "baseline": "c9ee7c12526fffc2"
  }
}
RECORD
"$jobs/seeds.sh" --table seeds 4 >seeds.out 2>&1
expect "figures of the results' groups" "$(cat seeds/gains.txt)" "4 0.5 0.62"
# A group that has no mIoU does not take the next one's.
sed -i '/"mIoU": 0.62/d' seeds/seed-4/run.json
"$jobs/seeds.sh" --table seeds 1 4 >seeds.out 2>&1
expect "a group without its figure" "$(grep -c "   4   has no results yet" seeds.out)" 1

[[ $failures -eq 0 ]] && echo "all as expected"
exit $((failures > 0))
