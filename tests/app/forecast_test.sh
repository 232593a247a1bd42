#!/usr/bin/env bash
# forecast: all four stages on 1, 2 and 4 simulated nodes from a profile that is given, what the table
# must say of them, and mistakes named before anything runs. $AUXSEG: the program. Without SimGrid
# there is nothing to test: 77.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[[ -e $(dirname "$auxseg")/auxseg-forecast ]] || exit 77
platforms=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../configs/platforms" && pwd)

cat >node.cfg <<'CFG'
run: { dir = "run"; };
model: { backbone = "resnet50"; head = "deeplabv3"; group = 2; dtype = "f32"; };
cluster: { k = 100; };
extract: { pca = 64; };
pretrain: { pixels = 20; };
CFG
# 8 parameters of 500,000 elements, a step of two images in 3.3 s, on one core.
{
    printf '%s\n' "# by hand" "images 2" "forward 1" "loss 0.1" "backward 2" "optimizer 0.2" \
        "norms 100" "add 1e-9" "extract 0.5" "assign 1e-5" "update 1e-4" "move 1e-5" "hash 1e-6" "d 64" "k 100" \
        "depth 50" "crop 160" "stride 8" "bf16 0" "loss_bf16 0" "frozen 0" \
        "pool_pair 1e-9" "pool_row 1e-7" "pool_pack 1e-7" "parameters 8"
    for i in 1 2 3 4 5 6 7 8; do echo "ready $(((8 - i) * 500000)) 500000 $((i / 5)).$((i * 2 % 10)) 0"; done
} >profile.txt
forecast=("$auxseg" forecast node.cfg --profile profile.txt --cores 4 --batch 4)

expect 2 '--platform is missing\|--platform' "${forecast[@]}"
touch x.xml
expect 2 'ascending whole numbers' "${forecast[@]}" --platform x.xml --nodes 1,4,2
expect 2 'of extract, cluster' "${forecast[@]}" --platform x.xml --stages pretrain,score
expect 2 'of extract, cluster' "${forecast[@]}" --platform x.xml --stages extractXcluster
expect 2 'must divide the 4 cores' "${forecast[@]}" --platform x.xml --ranks 3
expect 2 'ascending whole numbers' "${forecast[@]}" --platform x.xml --nodes 1,4,
expect 2 'missing.xml: No such file' "${forecast[@]}" --platform missing.xml --nodes 1
sed 's/"deeplabv3"/"fcn"/; s/group = 2/norm = "sync"/' node.cfg >other.cfg
expect 2 'model.head = "deeplabv3"' "$auxseg" forecast other.cfg --profile profile.txt --platform x.xml
grep -q 'model.norm other than "sync"' out || fail "a norm that is not simulated is taken for another"
expect 2 '--set: group.key=value is missing' "${forecast[@]}" --platform x.xml --set
expect 2 'platform configs/platforms/none.xml' "$auxseg" forecast \
    "$platforms/../forecast.cfg" --platform configs/platforms/none.xml
expect 2 'measured with k 100, the settings have 1000' "$auxseg" forecast node.cfg \
    --profile profile.txt --platform x.xml --set cluster.k=1000 --set=model.backbone=resnet18
grep -q 'measured with depth 50, the settings have 18' out || fail "a profile of another network is taken"
for other in pretrain.loss_dtype=bf16 model.norm=frozen; do
    expect 2 'measured with .* 0, the settings have 1' "$auxseg" forecast node.cfg --cores 4 --batch 4 \
        --profile profile.txt --platform x.xml --set $other
done
expect 2 '\-\-data is of a measurement' "${forecast[@]}" --platform x.xml --data profile.txt
expect 3 'profile.txt' "$auxseg" forecast node.cfg --platform x.xml --data profile.txt
expect 2 'measured with d 64, the settings have 32' "${forecast[@]}" --platform x.xml --dimensions 32
grep -v '^assign' profile.txt >cut.txt
expect 3 '"assign" is missing' "$auxseg" forecast node.cfg --profile cut.txt --cores 4 --batch 4 \
    --platform "$platforms/two-cores.xml" --nodes 1 --stages cluster --out out.c
{ cat profile.txt; echo "finetune_decode 0.1"; } >cut.txt
expect 3 'some times of the input are missing' "$auxseg" forecast node.cfg --profile cut.txt --cores 4 \
    --batch 4 --platform "$platforms/two-cores.xml" --nodes 1 --stages cluster --out out.c
head -n -1 profile.txt >cut.txt
expect 3 'times of 7 parameters, of 8' "$auxseg" forecast node.cfg --profile cut.txt --cores 4 \
    --batch 4 --platform "$platforms/two-cores.xml" --nodes 1 --stages cluster --out out.c
expect 1 'smpirun.* not in PATH' env PATH=/nowhere "$auxseg" forecast node.cfg --cores 4 --batch 4 \
    --platform "$platforms/two-cores.xml" --nodes 1 --out out.p
[[ ! -e out.p/profile.txt ]] || fail "measured before smpirun was looked for"
[[ $failures -eq 0 ]] || exit 1

# Of the weak stages a step on one node: 4 images on 4 cores are 1/2 of the profile's forward, loss
# and backward pass, and the optimiser; 1.6 s, twice the network's for two views an image.
expect 0 'Result: PASS' "${forecast[@]}" --platform "$platforms/dragonfly-200.xml" --nodes 1,3 \
    --stages finetune --ranks 2 --out out.d
# The forward pass is done once, whatever the images: 1 s on 4 cores in place of 2; and each of 4
# images is decoded and cut in 0.2 s. Pretraining decodes each for two views of 0.3 s.
{
    cat profile.txt
    printf '%s\n' "forward_once 1" "extract_decode 0.1" "finetune_decode 0.1" \
        "pretrain_decode 0.1" "finetune_view 0.1" "pretrain_view 0.3"
} >once.txt
expect 0 'Result: PASS' "$auxseg" forecast node.cfg --profile once.txt --cores 4 --batch 4 \
    --platform "$platforms/dragonfly-200.xml" --nodes 1 --stages finetune,pretrain --out out.o
# The other file, cut to four nodes: most of a short simulation is the making of its cluster.
sed 's/0-4095/0-3/; s/topo_parameters="[^"]*"/topo_parameters="1;4;1;1"/' \
    "$platforms/fat-tree-100.xml" >four.xml
expect 0 'Result: PASS' "${forecast[@]}" --platform four.xml --nodes 1,4 \
    --images 6400 --rows 1000000 --out out.d
column() {
    awk -F, -v stage="$1" -v nodes="$2" -v column="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 == stage && $2 == nodes { print $at[column] }' out.d/forecast.csv
}
near() {
    awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0.97 * b && a < 1.03 * b) }' ||
        fail "$1: $2, not about $3"
}
near 'a step of finetune' "$(column finetune 1 time_median)" 1.6
mv out.d/forecast.csv out.d/kept.csv && cp out.o/forecast.csv out.d/forecast.csv
near 'with input, and a part that is done once' "$(column finetune 1 time_median)" 1.55
near 'the same of pretrain' "$(column pretrain 1 time_median)" 3.1
mv out.d/kept.csv out.d/forecast.csv
near 'a step of pretrain' "$(column pretrain 1 time_median)" 3.15
# Both views of each of 4 images are counted, as the trainer and a study do; the batch is of images.
near 'work of pretrain' "$(column pretrain 1 work)" 8
near 'work of pretrain, 4 nodes' "$(column pretrain 4 work)" 32
near 'work of finetune' "$(column finetune 1 work)" 4
near 'rate of pretrain' "$(column pretrain 1 fom)" 2.54
[[ $(column pretrain 4 global_batch) -eq 16 ]] || fail "batch: $(column pretrain 4 global_batch)"
near 'an extraction' "$(column extract 1 time_median)" 800
near 'an iteration' "$(column cluster 1 time_median)" 2.5
for stage in extract cluster pretrain finetune; do
    near "$stage: efficiency" "$(column $stage 4 efficiency)" 1
    grep -q "^$stage: no bend up to 4 nodes" out || fail "$stage: nothing is said of its curve"
    grep -q "^$stage: best split of 4 cores" out || fail "$stage: no best split"
done
# Counters have what is summed, 8 bytes a parameter on each of 4 ranks, and what is gathered, 4 of
# each rank's quarter.
near 'bytes of the gradient' "$(column finetune 4 bytes_sent)" $((4 * 8 * 4000000 + 4 * 4000000))
# Of one iteration: its sums of 100 centroids of 64 dimensions and their counts, and what each rank
# makes of its quarter.
near 'bytes of an iteration' "$(column cluster 4 bytes_sent)" $((4 * 8 * 100 * 65 + 4 * 100 * 70))

# Memory that one simulated rank lacks is named; the others must not wait for it, which the simulator
# would find out as a deadlock.
expect 1 'a communicator cannot be made' env AUXSEG_HOOK_MEMORY=15 "${forecast[@]}" \
    --platform four.xml --nodes 4 --stages pretrain --out out.h
for n in 20 26 32 37 44 50 56; do
    expect 1 'forecast: code 1, log ' env "AUXSEG_HOOK_MEMORY=$n" "${forecast[@]}" \
        --platform four.xml --nodes 4 --stages pretrain --out out.h
done

# Measured here, beside another core that does the same; the file serves another forecast.
small=(--platform "$platforms/two-cores.xml" --nodes 1 --stages cluster --cores 2 --rows 1000000
    --set pretrain.crop=32 --set finetune.crop=32 --set model.backbone=resnet18)
expect 0 'Result: PASS' "$auxseg" pack node.cfg --set dataset.layout=synth --set run.dir=packed
expect 0 'Result: PASS' "$auxseg" forecast node.cfg "${small[@]}" --data packed/dataset.h5 --out out.m
grep -q "^# cores at work: [12]" out.m/profile.txt || fail "how many cores computed is not said"
grep -q "^finetune_decode [0-9]" out.m/profile.txt || fail "decoding of the data set is not measured"
expect 0 'Result: PASS' "$auxseg" forecast node.cfg "${small[@]}" --profile out.m/profile.txt --out out.n

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
