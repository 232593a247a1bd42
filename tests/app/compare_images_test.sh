#!/usr/bin/env bash
# Plans at equal images: every run's record has as many, whatever its method; a cell that cannot is
# refused; the best cell of each group is named in the table, the page and compare.csv; labels that
# no training takes have no score. Needs no data.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export OMP_NUM_THREADS=1

cat >tiny.cfg <<'CFG'
run: { dir = "runs"; };
dataset: { layout = "synth"; root = "images"; synth_train = 6; synth_val = 2; synth_height = 48;
           synth_width = 64; };
model: { backbone = "resnet18"; stages = 2; head = "fcn"; head_channels = 8; group = 2;
         output_stride = 8; projection = 8; dtype = "f32"; };
extract: { source = "finetuned"; layers = "layer1"; };
cluster: { k = 4; iterations = 2; sample = 60; };
pretrain: { steps = 2; batch = 2; crop = 32; pixels = 12; };
finetune: { steps = 2; batch = 2; crop = 32; fraction = 0.5; };
CFG
cat >equal.cfg <<'CFG'
about = "a few methods";
reference = "plain";
images = "ours";
seeds = [1];
cells = (
  { name = "plain"; group = "plain"; settings = ["run.until=baseline"]; },
  { name = "fast"; group = "plain"; settings = ["run.until=baseline", "finetune.lr=0.1"]; },
  { name = "ours"; settings = []; },
  { name = "views"; settings = ["pretrain.positives=augmentation"]; },
  { name = "instance"; settings = ["pretrain.method=instance"]; },
  { name = "taught"; settings = ["run.until=baseline", "finetune.method=pseudo-labels"]; }
);
CFG
# Two steps of two images of pretraining, the extractor, and the fine-tuning: 12. Views of one pixel
# need no extractor, though their run has one.
for ((cell = 1; cell <= 6; cell++)); do
    expect 0 'PASS' "$auxseg" compare tiny.cfg --plan equal.cfg --cell "$cell"
done
expect 0 '^images seen: 12 in every cell$' "$auxseg" compare tiny.cfg --plan equal.cfg --collect
[[ $failures -eq 0 ]] || exit 1
table=runs/equal/compare.csv

# column NAME CELL: of compare.csv.
column() {
    awk -F, -v name="$1" -v cell="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) n = i }
        $1 == cell { print $n }' "$table"
}
for cell in plain fast ours views instance taught; do
    images=$(($(column images_contrastive $cell) + $(column images_finetune $cell)))
    [[ $images -eq 12 ]] || fail "$cell saw $images images"
done
[[ $(column finetune.steps plain),$(column finetune.steps ours) == 6,2 ]] || fail "steps"
[[ $(column finetune.steps views) -eq 4 ]] || fail "steps of views, which no extractor serves"
[[ $(column finetune.steps taught) -eq 3 ]] || fail "steps of a teacher and its pupil"
[[ -n $(column score_purity ours) && -z $(column score_purity views) ]] ||
    fail "scores of labels that are used, and of others"
best=$(for cell in plain fast; do echo "$(column mIoU $cell) $cell"; done | sort -gr |
    sed -n '1s/.* //p')
grep -q "^best of plain: $best, mIoU" out || fail "not $best"
grep -q "best of plain: $best, mIoU" runs/equal/compare.html || fail "the page: not $best"
[[ $(column best "$best"),$(column group "$best") == 1,plain ]] || fail "compare.csv: not $best"
[[ $(awk -F, '$6 == 1' "$table" | wc -l) -eq 1 ]] || fail "not one best cell"

sed 's/settings = \[\];/settings = ["pretrain.steps=50"];/; s/"ours";$/"plain";/' equal.cfg >more.cfg
expect 2 'more.cfg:8: cell "ours": trainings before its fine-tuning' \
    "$auxseg" compare tiny.cfg --plan more.cfg --list
sed 's/images = "ours"/images = "their"/' equal.cfg >other.cfg
expect 2 'other.cfg:3: images: no cell "their"' "$auxseg" compare tiny.cfg --plan other.cfg --list

[[ $failures -eq 0 ]] && echo passed
exit $((failures > 0))
