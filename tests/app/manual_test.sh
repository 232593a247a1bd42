#!/usr/bin/env bash
# The manual pages and the completion of bash, made from the program's tables: they name everything,
# tools that judge manual pages find nothing, and lines are completed as bash would.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

expect 2 'which section' "$auxseg" manual 3
expect 2 'which shell' "$auxseg" completion fish
expect 0 '^.TH AUXSEG 1 ' "$auxseg" manual 1
mv out auxseg.1
expect 0 '^.TH AUXSEG.CFG 5 ' "$auxseg" manual 5
mv out auxseg.cfg.5
expect 0 'complete -F' "$auxseg" completion bash
mv out auxseg.bash
touch out

# Everything that the program has: commands and exit codes of the help, settings.
mapfile -t commands < <("$auxseg" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
[[ ${#commands[@]} -ge 18 ]] || fail "${#commands[@]} commands in the help"
for command in "${commands[@]}"; do
    grep -q "^\.SS $command\$" auxseg.1 || fail "auxseg.1 lacks the command $command"
done
mapfile -t codes < <("$auxseg" --help | sed -nE 's/^ +([0-9]+)  .*/\1/p')
for code in "${codes[@]}"; do
    grep -q "^\.B $code\$" auxseg.1 || fail "auxseg.1 lacks the exit code $code"
done
mapfile -t keys < <("$auxseg" check --defaults |
    sed -nE 's/^([a-z]+): \{$/\1/p; s/^    ([a-z0-9_]+) = .*/.\1/p' |
    awk '/^\./ { print group $0; next } { group = $0 }')
[[ ${#keys[@]} -gt 100 ]] || fail "${#keys[@]} settings"
for key in "${keys[@]}"; do
    grep -q "^${key//./\\.} = " auxseg.cfg.5 || fail "auxseg.cfg.5 lacks $key"
done
for page in auxseg.1 auxseg.cfg.5; do
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning $page | grep -v 'missing date' >out && fail "mandoc: $page"
    fi
    if command -v groff >/dev/null; then
        groff -man -ww -Tascii -z $page >out 2>&1
        [[ ! -s out ]] || fail "groff: $page"
    fi
done

# reply LINE: what bash would offer for the line's last word, in one line.
reply() {
    COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
    _auxseg
    echo "${COMPREPLY[*]}"
}

# offers LINE EXPECTED
offers() {
    local got
    got=$(reply "$1")
    [[ $got == "$2" ]] || fail "completion of \"$1\": \"$got\", not \"$2\""
}

: >out
# shellcheck source=/dev/null
. ./auxseg.bash
mkdir folder
touch a.cfg b.txt
offers 'auxseg pr' 'pretrain predict'
offers 'auxseg help syn' 'synth'
offers 'auxseg --v' '--version'
offers 'auxseg run ' 'folder a.cfg'
offers 'auxseg run a.cfg --s' '--set'
offers 'auxseg run a.cfg --set run.r' 'run.resume= run.rounds='
offers 'auxseg run a.cfg --set run.until=p' 'pack pretrain'
offers 'auxseg run a.cfg --set=run.until=sc' 'score'
offers 'auxseg run a.cfg --set run.compare=' 'true false'
offers 'OMP_NUM_THREADS=2 auxseg run a' 'a.cfg'
offers 'auxseg inspect b' 'b.txt'
offers 'auxseg check --d' '--defaults'
offers 'auxseg bench ' 'kmeans loss extract train roof'
offers 'auxseg bench train --norm ' 'group frozen'
offers 'auxseg bench kmeans --s' '--screen --seed --stride --steps --seconds'
offers 'auxseg compare a.cfg --plan c' 'clusters controlled'
offers 'auxseg compare a.cfg --plan a' 'additions a.cfg'
[[ $(reply 'auxseg compare a.cfg --plan ') == *' search folder a.cfg' ]] || fail "plans and files"
offers 'auxseg compare a.cfg --' '--set --plan --seeds --cell --list --collect --plans --of --help'
offers 'auxseg convert --names moco' 'moco moco-single moco-v3'
offers 'auxseg kmeans --start p' 'plusplus parallel'
offers 'auxseg kmeans --start b' 'b.txt'
[[ $(reply 'auxseg run a.cfg --set ' | wc -w) -eq ${#keys[@]} ]] || fail "not every setting is offered"

[[ $failures -eq 0 ]] && echo "all as expected"
exit $((failures > 0))
