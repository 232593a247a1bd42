#!/usr/bin/env bash
# cmake --install: the program, the jobs and the configurations work from the folder alone, whose
# name holds a space. $AUXSEG_BUILD: the build; $CMAKE: cmake.
. "$(dirname "${BASH_SOURCE[0]}")/app/common.sh"
unset AUXSEG AUXSEG_JOBS AUXSEG_SITE
export OMP_NUM_THREADS=1

prefix="$folder/the tree"
expect 0 'Install' "$CMAKE" --install "$AUXSEG_BUILD" --prefix "$prefix"
share=$prefix/share/auxseg
expect 0 '^auxseg .*commit' "$prefix/bin/auxseg" --version

for file in man/man1/auxseg.1 man/man5/auxseg.cfg.5 bash-completion/completions/auxseg; do
    [[ -s $prefix/share/$file ]] || fail "$file was not installed"
done

small=(--set run.dir=run --set dataset.root=images --set dataset.synth_train=6
    --set dataset.synth_val=2 --set model.stages=2 --set pretrain.steps=2 --set finetune.steps=2
    --set cluster.k=4 --set cluster.iterations=2)
expect 0 'Result: PASS' "${mpirun[@]}" -n 2 "$prefix/bin/auxseg" run "$share/configs/demo.cfg" \
    "${small[@]}"
[[ -e run/DONE && -s run/report.html ]] || fail "no DONE, or no report"

# The jobs find the program beside them.
expect 0 "stage.sbatch' 'report' " "$share/jobs/submit" "$share/configs/demo.cfg" --dry-run
# Beside what `check` says.
[[ $(grep -c "^'sbatch'" out) -eq 8 ]] || fail "submit --dry-run: not 8 jobs"
expect 0 'mean\|gain' env RANKS=1 "$share/jobs/seeds.sh" "$share/configs/demo.cfg" seeds 1 -- \
    "${small[@]}"

[[ $failures -eq 0 ]] && echo "all as expected"
exit $((failures > 0))
