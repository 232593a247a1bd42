/* The commands by name: what each is for, and what runs it. A command that does one stage takes its
 * texts from the table of stages. The help, the manual page and the completion are made of this
 * table: a usage is written so that all three can read it, options as "[--name VALUE]", choices as
 * "a|b", an alternative on a line of its own. */
#include "src/app/command_list.h"

#include "src/app/clusters/cluster.h"
#include "src/app/clusters/score.h"
#include "src/app/compare.h"
#include "src/app/evaluation/evaluate.h"
#include "src/app/evaluation/predict.h"
#include "src/app/features/extract.h"
#include "src/app/forecast/forecast.h"
#include "src/app/report/report.h"
#include "src/app/run.h"
#include "src/app/study/study.h"
#include "src/app/tools/bench.h"
#include "src/app/tools/check.h"
#include "src/app/tools/classify.h"
#include "src/app/tools/convert.h"
#include "src/app/tools/inspect.h"
#include "src/app/tools/kmeans.h"
#include "src/app/tools/pack.h"
#include "src/app/tools/print.h"
#include "src/app/tools/synth_make.h"
#include "src/app/tools/verify.h"
#include "src/app/training/finetune.h"
#include "src/app/training/pretrain.h"
#include "src/base/log.h"
#include "src/base/nearest.h"

#include <string.h>

#define CONFIG "CONFIG.cfg [--set group.key=value]..."

/* In the order of a run, then what looks at its files; those that start MPI come first. */
static const command commands[] = {
    {.name = "run",
        .summary = "everything: all stages in turn, of which those that are done are skipped",
        .arguments = CONFIG,
        .reads = "the data set, model.weights",
        .writes = "run.dir: all files of the other commands, and DONE at the end",
        .example = "mpirun -n 2 auxseg run configs/demo.cfg",
        .stage = command_run},
    {.does = STAGE_PACK,
        .example = "mpirun -n 4 auxseg pack configs/camvid.cfg --set dataset.on_bad_image=skip",
        .stage = command_pack},
    {.does = STAGE_EXTRACT,
        .example = "mpirun -n 4 auxseg extract configs/camvid.cfg",
        .stage = command_extract},
    {.does = STAGE_CLUSTER,
        .example = "mpirun -n 4 auxseg cluster configs/camvid.cfg --set cluster.k=50",
        .stage = command_cluster},
    {.does = STAGE_SCORE,
        .example = "mpirun -n 4 auxseg score configs/camvid.cfg",
        .stage = command_score},
    {.does = STAGE_PRETRAIN,
        .example = "mpirun -n 4 auxseg pretrain configs/camvid.cfg --set pretrain.steps=900",
        .stage = command_pretrain},
    {.does = STAGE_FINETUNE,
        .example = "mpirun -n 4 auxseg finetune configs/camvid.cfg --set finetune.fraction=0.1",
        .stage = command_finetune},
    {.does = STAGE_EVALUATE,
        .example = "mpirun -n 4 auxseg evaluate configs/camvid.cfg --set evaluate.flip=true",
        .stage = command_evaluate},
    {.name = "predict",
        .summary = "predictions of a model as palette PNG",
        .arguments = CONFIG,
        .reads = "dataset.h5, evaluate.weights (default: finetuned.safetensors)",
        .writes = "predictions/",
        .example = "mpirun -n 4 auxseg predict configs/camvid.cfg --set evaluate.predictions=20",
        .stage = command_predict},
    {.does = STAGE_REPORT, .example = "auxseg report configs/camvid.cfg", .stage = command_report},
    {.name = "compare",
        .summary = "the runs of a plan, one after another, and their results side by side",
        .arguments = CONFIG " [--plan NAME|FILE] [--seeds LIST] [--cell N]\n"
                            "       auxseg compare " CONFIG " [--plan NAME|FILE] --list|--collect\n"
                            "       auxseg compare --plans\n"
                            "       auxseg compare --of RUN...",
        .reads =
            "settings, a plan (src/app/compare/README.md; default: controlled); --of: run.json "
            "of each folder",
        .writes = "below run.dir: PLAN/CELL/seed-N, a run each, PLAN/compare.csv and compare.html, "
                  "and store/, by "
                  "which runs share what they have in common; a table to standard output. The same "
                  "command goes on with what is missing. --cell: one run, by its number in --list; "
                  "--collect: the results of what is done; --of: both files of finished runs, "
                  "here",
        .example = "mpirun -n 4 auxseg compare configs/camvid.cfg --plan clusters --seeds 1-5",
        .files = command_compare},
    {.name = "bench",
        .summary = "speed of a part of the program, as one line of JSON",
        .arguments =
            "kmeans --data X.npy --k K [--iterations I] [--dtype f32|bf16|int8|auto] "
            "[--screen dense|pruned|auto] [--threads T] [--metric euclidean|cosine] "
            "[--each yes] [--write-labels L.npy] [--write-centroids C.npy]\n"
            "       auxseg bench loss [--n N] [--d D] [--labels K] [--tau T] [--threads T] "
            "[--seed S] [--dtype f32|bf16] [--z Z.npy --label-file A.npy] [--grad G.npy]\n"
            "       auxseg bench extract|train [--depth D] [--crop C] [--batch B] "
            "[--dtype auto|bf16|f32] [--threads T] [--stride 8|16|32] [--steps S] [--classes K] "
            "[--norm group|frozen] [--winograd auto|off] [--recompute none|blocks] [--operators "
            "yes] [--profile FILE]\n"
            "       auxseg bench roof [--threads T] [--seconds S]",
        .reads = "X.npy, float32 [rows, D]; the first K rows are the initial centroids. Z.npy, "
                 "float32 [rows, D] of length 1; A.npy, their labels, below 0: takes no part",
        .writes = "the labels of the last iteration (uint16), and the float32 centroids that they "
                  "were assigned to; the gradient of the loss, float32",
        .example = "auxseg bench kmeans --data X.npy --k 500 --iterations 10 --threads 1",
        .words = command_bench},
    {.name = "kmeans",
        .summary = "clusters the rows of any matrix: the engine of `cluster`, exact, restartable",
        .arguments = "X --k K --out FOLDER [--metric euclidean|cosine] [--iterations I] "
                     "[--restarts R] [--start plusplus|parallel|hierarchical|sample|first|FILE] "
                     "[--sample N] [--sample-iterations I] [--branch-iterations I] [--seed S] "
                     "[--checkpoint I] [--resume auto|never] [--memory hold|map] "
                     "[--threads T] [--dtype f32|bf16|int8|auto] [--screen dense|pruned|auto] "
                     "[--verbose yes]",
        .reads = "X: .npy (float32, float16, uint8, int8), .fvecs, .bvecs, .fbin, .u8bin or .i8bin "
                 "of at most 65536 columns; of a start that is a FILE (.npy, labels.h5) K "
                 "centroids. Ranks share out the rows. --memory map: float32 rows stay in X",
        .writes = "in FOLDER: labels.npy (uint16), centroids.npy (float32), kmeans.json; while it "
                  "runs a checkpoint every I iterations (0: only when it is stopped by TERM, USR1, "
                  "USR2 or a file STOP there), from which the same command goes on, on any number "
                  "of ranks, to the same bits. --iterations 0: labels of the start's centroids",
        .example = "mpirun -n 4 auxseg kmeans X.npy --k 1000 --out runs/x",
        .words = command_kmeans},
    {.name = "check",
        .summary = "every mistake of a run at once, before it is submitted",
        .arguments = CONFIG "\n       auxseg check --defaults",
        .reads =
            "settings, list files, images and labels (headers, and a share of them whole), weights",
        .writes = "nothing. With --defaults: every setting with its default to standard output",
        .example = "auxseg check configs/camvid.cfg",
        .check = command_check},
    {.name = "stages",
        .summary = "the stages that a run does with these settings, one a line",
        .arguments = CONFIG,
        .reads = "settings",
        .writes = "nothing",
        .example = "auxseg stages configs/camvid.cfg --set run.compare=false",
        .local = command_stages},
    {.name = "settings",
        .summary = "every setting with its value: the file's, or the default",
        .arguments = CONFIG,
        .reads = "settings",
        .writes = "nothing",
        .example = "auxseg settings configs/camvid.cfg --set cluster.k=50",
        .local = command_settings},
    {.name = "study",
        .summary = "how stages scale: ranks and threads in turn, each started by mpirun",
        .arguments =
            CONFIG " --ranks R,R,... [--threads T,T,...] [--weak] [--stages STAGE,...] "
                   "[--steps N] [--untimed N] [--repeats N] [--out FOLDER] [--launch COMMAND] "
                   "[--part all|list|folder|prepare|measure|collect] [--only RANKSxTHREADS]",
        .reads = "settings, and what the stages read. --stages: extract, cluster, pretrain, "
                 "finetune (all). --steps: of training and iterations of the clustering that a "
                 "point does (10), after --untimed more of training (2). --weak: batches, and "
                 "the built-in data set, grow with the ranks. --launch: in place of mpirun, with "
                 "{ranks} and {threads} in it",
        .writes = "scaling.csv, scaling.html and measurements in run.dir/study; a table, and a "
                  "line \"Figure of Merit (FOM)\" a point. Measured points are not done again. "
                  "Code 1 where two points have different results",
        .example = "auxseg study configs/demo.cfg --ranks 1,2 --stages cluster,pretrain",
        .files = command_study},
    {.name = "forecast",
        .summary = "how stages would scale on a cluster: computing measured here, ranks simulated",
        .arguments = CONFIG " --platform FILE.xml [--nodes LIST] [--stages LIST] [--cores C] "
                            "[--ranks R] [--batch B] [--images N] [--rows N] [--dimensions D] "
                            "[--data FILE.h5 | --profile FILE] [--out FOLDER]",
        .reads =
            "settings; the cluster as SimGrid describes it (configs/platforms/). C cores, R "
            "ranks and B images of a training step a node; N images of the data set, N rows of D "
            "elements (0: extract.pca, or 256) for "
            "k-means. FILE: a profile of an earlier call, else computing is measured first, on "
            "one core, while others do the same, of this machine as many as a node has; with "
            "FILE.h5, a packed data set, decoding of its images and the views of trainings, too",
        .writes = "profile.txt and forecast.csv in run.dir/forecast; a table, where curves bend "
                  "and the best split into ranks and threads to standard output. Needs SimGrid's "
                  "smpirun, and a build that found it",
        .example =
            "auxseg forecast configs/forecast.cfg --platform configs/platforms/fat-tree-100.xml "
            "--nodes 1,16,256",
        .files = command_forecast},
    {.name = "inspect",
        .summary =
            "what is in a file: images, data sets, labels, features, weights, checkpoints, arrays",
        .arguments = "FILE...",
        .reads = "the files",
        .writes = "nothing",
        .example = "auxseg inspect runs/camvid/labels.h5",
        .files = command_inspect},
    {.name = "verify",
        .summary =
            "compares files with the checksums that they carry and with run.json beside them, "
            "and looks for weights that are not finite; of a run's folder all that it has",
        .arguments = "FILE...\n       auxseg verify FOLDER...",
        .reads = "the files",
        .writes = "nothing",
        .example = "auxseg verify runs/camvid/*.h5 runs/camvid/*.safetensors",
        .files = command_verify},
    {.name = "convert",
        .summary = "weights as a safetensors file",
        .arguments = "IN OUT.safetensors [--names RULE] [--to torchvision|timm|mmseg] "
                     "[--input TEXT]\n       auxseg convert --rules",
        .reads = "IN, a safetensors file or one of PyTorch's (.pth, .pt)",
        .writes =
            "every tensor of IN under the name that it has. With --names: those that the rule "
            "knows, under the names that it makes; --rules lists them. With --to: those that the "
            "project has, under its names. --input says how the network wants its images, where "
            "the rule is wrong (\"rgb 0..1 mean 0 0 0 std 1 1 1\"). Nothing is written under "
            "another ending, or where a value is not finite",
        .example = "auxseg convert moco_v2_200ep.pth moco.safetensors --names moco",
        .files = command_convert},
    {.name = "classify",
        .summary = "classes that an ImageNet network sees in images: are weights read as meant?",
        .arguments = "WEIGHTS IMAGE... [--size PIXELS] [--backbone NAME] [--input TEXT]",
        .reads = "WEIGHTS, with their classifier (fc, classifier.1); JPEG or PNG images",
        .writes = "nothing. The five most likely classes of each image, by number and probability, "
                  "to standard output; images are resized, not cropped",
        .example = "auxseg classify squeezenet1_0.pth dog.jpg --size 227",
        .files = command_classify},
    {.name = "synth",
        .summary = "makes the built-in data set",
        .arguments = CONFIG,
        .reads = "settings",
        .writes = "images and label maps in dataset.root",
        .example = "auxseg synth configs/demo.cfg",
        .local = command_synth},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

bool command_at(int index, command *out) {
    if (index < 0 || index >= COMMANDS) return false;
    *out = commands[index];
    if (out->does == STAGE_NONE) return true;
    const stage_info *about = stage_about(out->does);
    out->name = stage_id_words[out->does];
    out->arguments = CONFIG;
    out->summary = about->summary;
    out->reads = about->reads;
    out->writes = about->writes;
    return true;
}

bool command_find(const char *name, command *out) {
    char hint[NEAREST_HINT];
    const char *names[COMMANDS];
    for (int i = 0; command_at(i, out); i++) {
        if (strcmp(out->name, name) == 0) return true;
        names[i] = out->name;
    }
    log_error(
        "unknown command %s%s (auxseg --help)", name, nearest_hint(hint, name, names, COMMANDS));
    return false;
}

/* One list, status.h, is the exit codes and this table. */
static void print_exit_codes(FILE *to) {
    fputs("Exit codes:\n", to);
#define CODE_LINE(name_, code_, text_) fprintf(to, "  %2d  %s\n", code_, text_);
    STATUS_LIST(CODE_LINE)
#undef CODE_LINE
}

/* `compare` does so by itself, for what computes. */
static bool starts_mpi(const command *k) {
    return k->stage || k->words || k->files == command_compare;
}

void command_help_all(FILE *to) {
    command k;
    fputs("auxseg: contrastive pretraining for semantic segmentation with cross-image auxiliary "
          "labels\n\n"
          "Usage: auxseg COMMAND ...\n"
          "       auxseg help [COMMAND] | --help, -h | --version, -V\n\n"
          "Under MPI or alone, with settings:\n",
        to);
    bool mpi = true;
    for (int i = 0; command_at(i, &k); i++) {
        if (mpi && !starts_mpi(&k)) fputs("Without MPI:\n", to);
        mpi = starts_mpi(&k);
        fprintf(to, "  %-9s %s\n", k.name, k.summary);
    }
    fputs("\nSettings: configs/default.cfg is the manual; what stands after --set "
          "overrides the file.\nStart: mpirun -n 2 auxseg run configs/demo.cfg\n\n",
        to);
    print_exit_codes(to);
}

static void print_stages(FILE *to) {
    fputs("Stages, in this order (run.until: the last one to do):\n", to);
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
        const stage_info *about = stage_about(id);
        fprintf(to, "  %-9s %s%s%s\n", stage_id_words[id], about->summary,
            about->condition ? "; only with " : "", about->condition ? about->condition : "");
    }
}

void command_help(const command *k, FILE *to) {
    fprintf(to, "auxseg %s: %s\n\n", k->name, k->summary);
    fprintf(to, "Usage: auxseg %s %s\n", k->name, k->arguments);
    fprintf(to, "Reads:  %s.\nWrites: %s.\n", k->reads, k->writes);
    /* What the one command does is the method: the stages in a few lines. */
    if (k->stage == command_run) print_stages(to);
    if (k->stage)
        fputs("Files without a path are in run.dir. Runs alone or under mpirun or srun, with the "
              "same results.\n"
              "Stops early, its state saved, on the signals TERM, USR1, USR2, after run.max_hours, "
              "or\nonce there is a file STOP in run.dir; nothing starts while that is there.\n",
            to);
    fprintf(to, "Example: %s\n\n", k->example);
    print_exit_codes(to);
}
