#!/usr/bin/env bash
# inspect, verify and convert on every file that a run leaves: told apart by contents, damage found,
# names of weights made torchvision's, what cannot be read refused by name.
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "run"; compare = false; };
dataset: { layout = "synth"; root = "images"; synth_train = 3; synth_val = 1; synth_height = 32;
           synth_width = 48; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         projection = 8; };
extract: { source = "finetuned"; keep = true; };
cluster: { k = 3; iterations = 2; sample = 50; };
finetune: { fraction = 1.0; steps = 2; batch = 2; crop = 32; };
CFG
expect 0 'Result: PASS' "$auxseg" run tiny.cfg --set run.until=cluster \
    --set extract.npy=run/x.npy

expect 0 'data set, 4 images' "$auxseg" inspect run/dataset.h5
expect 0 '3 clusters' "$auxseg" inspect run/labels.h5
expect 0 'features of 3 images' "$auxseg" inspect run/features.h5
expect 0 'safetensors' "$auxseg" inspect run/baseline.safetensors
expect 0 'record of a run' "$auxseg" inspect run/run.json
expect 0 'cluster .*to step' "$auxseg" inspect run/metrics.csv
expect 0 'png, 48 x 32' "$auxseg" inspect images/train/00000.png
expect 0 'png, 48 x 32' "$auxseg" inspect run/*.h5 images/train/00000.png
expect 0 'numpy array of <f4, \[72, 8\], 0.0 MB' "$auxseg" inspect run/x.npy
expect 0 'tiny.cfg: settings, 8 line(s), the first: run: {' "$auxseg" inspect tiny.cfg
expect 0 'run/settings.cfg: settings' "$auxseg" inspect run/settings.cfg
printf 'train/a.png\ntrain/b.png\n' >list.txt
expect 0 'list.txt: plain text: .*2 line(s), the first: train/a.png' "$auxseg" inspect list.txt
printf '<!DOCTYPE html>\n<html>' >report.html
expect 0 'report.html: HTML page' "$auxseg" inspect report.html
head -c 100 /dev/zero >zeros
expect 3 'no file that' "$auxseg" inspect zeros
# A header of 123 bytes begins with a brace, as a record does.
header='{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
header="$header$(printf '%*s' $((123 - ${#header})) '')"
printf '{\0\0\0\0\0\0\0%sabcd' "$header" >short.safetensors
expect 0 'short.safetensors: safetensors, 1 tensors' "$auxseg" inspect short.safetensors
# Another process has it open for writing, as HDF5 locks files then.
exec 8<run/labels.h5
flock -x 8
expect 0 '3 clusters' "$auxseg" inspect run/labels.h5
exec 8<&-
expect 3 'nothing' "$auxseg" inspect nothing
expect 3 'run: a folder' "$auxseg" inspect run
mkfifo pipe
expect 3 'regular' "$auxseg" inspect pipe

for file in dataset.h5 labels.h5 features.h5 baseline.safetensors; do
    expect 0 "$file: whole" "$auxseg" verify "run/$file"
done
expect 0 'run.json: whole' "$auxseg" verify run/run.json
expect 0 'metrics.csv: whole' "$auxseg" verify run/metrics.csv
# All of a run, by its record: what is gone, cut off between two rows or not what it was.
expect 0 'settings.cfg: whole, and as run.json has it' "$auxseg" verify run
for file in run.json dataset.h5 labels.h5 features.h5 baseline.safetensors metrics.csv; do
    grep -q "^run/$file: whole" out || fail "verify run: nothing of $file"
done
cp -r run cut
sed -i '$d' cut/metrics.csv
expect 4 'cut/metrics.csv: 2 rows of cluster, which had 3' "$auxseg" verify cut
mv cut/labels.h5 away
expect 4 'cut/labels.h5: recorded in run.json, and not there' "$auxseg" verify cut
cp away cut/labels.h5
printf '# by hand\n' >>cut/settings.cfg
expect 4 'cut/settings.cfg: not what run.json has recorded' "$auxseg" verify cut
cp run/baseline.safetensors cut/features.h5
expect 4 'cut/features.h5: not' "$auxseg" verify cut/features.h5
head -c 700 run/run.json >cut/run.json
expect 4 'cut/run.json: its checksum differs' "$auxseg" verify cut
expect 3 'images/run.json: there is none' "$auxseg" verify images
# Names that say what a file is, whatever a damaged beginning looks like.
printf 'S' | dd of=cut/metrics.csv bs=1 conv=notrunc status=none
expect 4 'cut/metrics.csv: damaged: its first line' "$auxseg" verify cut/metrics.csv
rm -r cut away
damage run/baseline.safetensors damaged.safetensors 5
expect 3 'damaged.safetensors: tensor .* is damaged' "$auxseg" verify damaged.safetensors
expect 3 'damaged.safetensors: tensor .* is damaged' "$auxseg" convert damaged.safetensors \
    no.safetensors
[[ ! -e no.safetensors ]] || fail "damaged weights are converted"
head -c 2000 run/labels.h5 >cut.h5
expect 3 'cut.h5: HDF5 cannot open it: .*truncated' "$auxseg" verify cut.h5

# PyTorch's own files, of which nothing is run: an archive carries checksums.
expect 0 'torch_zip.pth: PyTorch archive, [0-9]* tensors in .*MB' "$auxseg" inspect \
    "$tests/fixtures/torch_zip.pth"
grep -q '^  [a-z0-9_.]* *F32 *\[' out || fail "names, types and shapes of a PyTorch archive"
expect 0 'torch_legacy.pth: PyTorch file of before 1.6' "$auxseg" inspect \
    "$tests/fixtures/torch_legacy.pth"
expect 0 'torch_zip.pth: whole' "$auxseg" verify "$tests/fixtures/torch_zip.pth"
expect 0 'torch_legacy.pth: carries no checksums' "$auxseg" verify \
    "$tests/fixtures/torch_legacy.pth"
head -c 700 "$tests/fixtures/torch_legacy.pth" >cut.pth
expect 3 'cut.pth: ' "$auxseg" inspect cut.pth

# What is wrong with a file, and then the next one.
head -c 60 run/x.npy >cut.npy
head -c 700 run/baseline.safetensors >cut.safetensors
head -c 20 images/train/00000.png >cut.png
: >empty
expect 3 'cut.h5: HDF5 cannot open it: .*truncated' "$auxseg" inspect cut.h5 cut.npy \
    cut.safetensors cut.png empty absent.h5 run/labels.h5
for line in 'cut.npy: damaged: ' 'cut.safetensors: ' 'cut.png: PNG: ' 'empty: is empty' \
    'absent.h5: cannot be read: No such file' 'run/labels.h5: auxiliary labels'; do
    grep -q "$line" out || fail "inspect: nothing like $line"
done

# A stage is not skipped because its file was there once: what was cut off is made anew, the same.
for file in dataset.h5 baseline.safetensors labels.h5; do
    before=$(sha256sum <"run/$file")
    head -c 1500 "run/$file" >"cut-$file"
    cp "cut-$file" "run/$file"
    expect 0 'damaged' "$auxseg" run tiny.cfg --set run.until=cluster
    [[ $(sha256sum <"run/$file") == "$before" ]] || fail "run/$file is not made anew"
done
mv run/dataset.h5 aside.h5
expect 3 'run/dataset.h5: cannot be read: No such file or directory' "$auxseg" score tiny.cfg
grep -q LOCKING out && fail "a file that is not there needs no advice on locks"
mv aside.h5 run/dataset.h5

# A header of one tensor, as DistributedDataParallel names it.
header='{"module.conv1.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
printf "%b" "\\0$(printf %03o ${#header})\\0\\0\\0\\0\\0\\0\\0" >bare.safetensors
printf '%sabcd' "$header" >>bare.safetensors
expect 0 '1 tensors of bare.safetensors (safetensors), names as they were' "$auxseg" convert bare.safetensors \
    named.safetensors
expect 0 ' module.conv1.weight  *F32  *\[1\]' "$auxseg" inspect named.safetensors
expect 0 'whole' "$auxseg" verify named.safetensors
[[ $(tail -c 4 named.safetensors) == abcd ]] || fail "the tensor's bytes"
expect 0 'names by the rule "parallel", 0 left out' "$auxseg" convert bare.safetensors \
    named.safetensors --names parallel
expect 0 '^  conv1.weight  *F32  *\[1\]' "$auxseg" inspect named.safetensors
[[ $(tail -c 4 named.safetensors) == abcd ]] || fail "the renamed tensor's bytes"
expect 2 'paralel: no such rule .*did you mean parallel' "$auxseg" convert bare.safetensors \
    no.safetensors --names paralel
expect 3 'no tensor that the rule knows' "$auxseg" convert bare.safetensors no.safetensors \
    --names moco
expect 0 '^parallel  *module\.  (SwAV' "$auxseg" convert --rules
# Never one format under the name of another.
for name in y.pth y.pt y safetensors .safetensors y.safetensors.bin; do
    expect 2 "$name: what is written is a safetensors file" "$auxseg" convert bare.safetensors "$name"
    [[ ! -e $name ]] || fail "$name is written"
done
expect 2 'two files are needed' "$auxseg" convert bare.safetensors named.safetensors third
printf 'PK\003\004 archive of torch.save' >model.pt
expect 3 'model.pt: ' "$auxseg" convert model.pt no.safetensors
expect 4 'no/such' "$auxseg" convert bare.safetensors no/such/file.safetensors

# Whole, and yet of no use: a NAN, a variance below zero, as versions that did not look wrote them.
# one_float FILE NAME BYTES: a file of one tensor of one element.
one_float() {
    local header="{\"$2\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
    printf "%b" "\\0$(printf %03o ${#header})\\0\\0\\0\\0\\0\\0\\0" >"$1"
    printf '%s' "$header" >>"$1"
    printf "%b" "$3" >>"$1"
}
one_float nan.safetensors fc.bias '\0\0\0300\0177'
expect 5 'nan.safetensors: tensor "fc.bias": element 0 is not finite' "$auxseg" verify nan.safetensors
expect 5 'element 0 is not finite' "$auxseg" convert nan.safetensors no.safetensors
[[ ! -e no.safetensors ]] || fail "weights that are refused are converted"
one_float below.safetensors bn1.running_var '\0\0\0200\0277'
expect 5 'element 0 is a variance below zero' "$auxseg" verify below.safetensors
one_float mean.safetensors bn1.running_mean '\0\0\0200\0277'
expect 0 'mean.safetensors: carries no checksums' "$auxseg" verify mean.safetensors
# An infinite objective of a clustering's checkpoint says that there was none before.
cluster_checkpoint run
for file in run/checkpoints/cluster-*.safetensors; do
    expect 0 'whole' "$auxseg" verify "$file"
done

# Images that claim far more pixels than they should: refused by header, in no time.
hostile=${AUXSEG_SHARED:-}/data/hostile
if [[ -n ${AUXSEG_SHARED:-} && -d $hostile ]]; then
    for file in bomb.png bomb.jpg; do
        expect 3 "$file.*more than the limit" "$auxseg" inspect "$hostile/$file"
    done
    for file in "$hostile"/*.h5; do
        expect 3 "$(basename "$file")" "$auxseg" inspect "$file"
    done
fi

exit $((failures > 0))
