/* Rows of the table of settings (settings_table.c, which says how they are read and what must not
 * change) for the groups up to the auxiliary labels: run, dataset, model, extract, cluster. */
#include "src/base/settings_rows.h"

#include <limits.h>

const setting settings_rows_of_labels[] = {
    {WORDS(run, dir, "runs/auxseg", "Folder of everything that the run writes."), .aside = true},
    {WORDS(run, store, "",
         "Folder that runs share: what one of them has done for the same inputs and settings, the "
         "others take over; empty: none."),
        .aside = true},
    {CHOICE(run, resume, RUN_RESUME_AUTO,
         "auto: what is done for the same inputs and settings is skipped, what was interrupted is "
         "continued; never: everything is done anew."),
        .aside = true},
    {CHOICE_OF(run, until, stage_id_words, STAGE_NONE,
         "The command `run` ends after this stage; empty: it does all of them."),
        .aside = true},
    /* As far as a double counts without gaps: bounds are doubles, as are the numbers of JSON. */
    {NUMBER(SETTING_LONG, run, seed, 1, 0, 9007199254740991.0, NULL,
        "Random numbers depend on it, on what they are for, and on nothing else.")},
    /* Aside: a round more leaves the keys of those before it as they are. */
    {INTEGER(run, rounds, 1, 1, 100, "rounds",
         "How often extract to finetune are done; later rounds extract with the model of the round "
         "before."),
        .aside = true},
    /* Aside, with the loader's: no result depends on how many threads there are, or on who made a
     * batch. */
    {INTEGER(run, threads, 0, 0, 4096, "threads a rank",
         "0: what OMP_NUM_THREADS says, else the cores that the rank may use."),
        .aside = true},
    {INTEGER(run, loader_threads, 1, 0, 256, "threads a rank",
         "Threads beside those of `threads` that read, decode and augment the batches to come in "
         "the training stages, on a core or hyperthread that is free, else sharing one. What is "
         "not "
         "ready when it is due is made by `threads`; 0: all of it."),
        .aside = true},
    {INTEGER(run, loader_depth, 2, 1, 64, "batches", "Batches that are made ahead of time."),
        .aside = true},
    /* Aside: a training that goes on from a checkpoint is the one that was not interrupted. */
    {INTEGER(run, checkpoint_steps, 100, 1, INT_MAX, "steps",
         "Distance of checkpoints in the training stages."),
        .aside = true},
    {INTEGER(run, untimed_steps, 0, 0, 1000000, "steps",
         "First steps of a start of a training stage that its phases and images a second leave "
         "out: "
         "they fill caches, and choose scales."),
        .aside = true},
    {FLAG(run, compare, 1,
         "Fine-tune and evaluate from the plain initial weights, too, and report both."),
        .aside = true},
    {REAL(run, max_hours, 0, 0, 1e6, "hours",
         "Save the state and end with code 75 after this time; 0: no limit. A file STOP in run.dir "
         "and the signals TERM, USR1 and USR2 do the same."),
        .aside = true},
    /* No piece of work takes ten minutes; PyTorch gives a collective of NCCL as long. */
    {REAL(run, watchdog, 600, 0, 86400, "seconds",
         "A rank that shows no progress for so long is named (rank, host, stage, step), and the "
         "job "
         "ends with code 6; time in a file system or under a debugger does not count. 0: jobs that "
         "hang are not ended."),
        .aside = true},
    {FLAG(
         run, tensorboard, 0, "Figures also as event files: tensorboard --logdir RUN/tensorboard."),
        .aside = true},
    {FLAG(run, verbose, 0,
         "Tables in the log: all settings, where ranks compute, the algorithms of convolutions, "
         "memory, label ids, iterations of k-means, figures of each class."),
        .aside = true},

    {CHOICE(dataset, layout, DATASET_LAYOUT_SYNTH,
        "cityscapes, voc, ade20k, cocostuff, coco, kitti, camvid, mapillary: these data sets as "
        "they are published, where dataset.root alone is needed (splits, classes and ids are "
        "known; io/dataset/README.md says which files); pairs: lists of image<TAB>label, the "
        "label optional; folder: every JPEG and PNG below root, without labels; synth: the "
        "built-in data set, made in root.")},
    {WORDS(dataset, variant, "",
         "Which form of the layout: cityscapes: fine, coarse; voc: aug, voc; cocostuff: 164k, 10k; "
         "coco: panoptic, things; kitti: fifth, all; camvid: segnet, 11, 32; mapillary: v2.0, "
         "v1.2; empty: the first that is there."),
        .later = true},
    {WORDS(dataset, root, "data", "Folder that other paths of the data set are relative to.")},
    {WORDS(dataset, train, "", "List file of the training images; camvid: empty is train.txt.")},
    {WORDS(dataset, val, "", "List file of the validation images; camvid: empty is val.txt.")},
    {WORDS(dataset, test, "",
        "List file of the test images; empty: there are none; camvid: test.txt if it is there.")},
    {WORDS(dataset, unlabelled, "",
         "More training images, without labels, for extraction, clustering, pretraining and the "
         "ways of fine-tuning that take such images: a list "
         "file of paths, one a line, or a folder, of which every JPEG and PNG is taken that the "
         "data set does not have already. Below root, as other lists."),
        .later = true},
    {WORDS(dataset, strip_prefix, "",
        "What is removed from the beginning of each listed path; camvid: empty is "
        "/SegNet/CamVid/.")},
    {WORDS(dataset, names, "",
        "Names of the classes, separated by commas, one for each; empty: the layout's own, of "
        "dataset.colours, else \"class 0\" and so on.")},
    {WORDS(dataset, label_map, "",
        "Ids as they stand in the label files to classes or dataset.ignore: FROM:TO,FROM:TO,... or "
        "a file below root of such pairs, one a line; * is every id not named. Empty: as the "
        "layout "
        "has it, else ids are classes.")},
    {WORDS(dataset, colours, "",
         "Label maps are colours: a file below root of lines R G B NAME, or NAME R G B, apart by "
         "blanks, commas or tabs; the id of a colour is its line, from 0. Names: void, unlabeled "
         "... are dataset.ignore. Empty: as the layout has it, else label maps are ids."),
        .later = true},
    {REAL(dataset, held_out, 0, 0, 1000000000, "images",
         "Labelled training images that nothing is trained on, so that settings are chosen by them "
         "and not by the validation images; below 1: their share; 0: none. Names that differ in "
         "numbers alone are a sequence, in the order of these, cut into blocks of held_out_block; "
         "blocks are drawn by a hash of their first name, not by run.seed."),
        .later = true},
    {INTEGER(dataset, held_out_block, 10, 1, 1000000, "images",
         "Neighbours that are held out together. In a film frames that follow one another are "
         "nearly equal, so that only the ends of a block stand beside what is trained on; 1, for "
         "photographs that have nothing to do with one another."),
        .later = true},
    {CHOICE(dataset, held_out_for, DATASET_HELD_OUT_FOR_EVALUATE,
         "What is done with them. evaluate: they take the place of the validation images, which "
         "are not even read: for every choice among settings. validate: they are looked at by "
         "finetune.validate alone, and the validation images are evaluated: for the last runs, "
         "once all else is fixed, so that the length of training is chosen honestly, too. As "
         "honest is a length fixed beforehand, with held_out = 0 and all images."),
        .later = true},
    /* Not aside: which images there are is what all else follows from. */
    {CHOICE(dataset, on_bad_image, DATASET_ON_BAD_IMAGE_STOP,
        "stop: the first image that cannot be read ends the run; skip: it is left out and named.")},
    {CHOICE(dataset, label_orientation, DATASET_LABEL_ORIENTATION_AUTO,
         "Label maps of images that EXIF turns, where their size does not tell whether they were "
         "drawn on the turned picture or made of the stored pixels. auto: as the others of the "
         "data set, whose size tells; where there are none, turned; turned: they lie as the turned "
         "picture; stored: they are turned like it."),
        .later = true},
    /* 0 stands for a number that follows from something else, here and in model.head_channels,
     * model.wave and run.threads. */
    {INTEGER(dataset, classes, 0, 0, 4096, "classes",
        "Classes that the label ids 0, 1, ... stand for; 0: the layout's own number, or that of "
        "dataset.colours.")},
    /* Ids are read from 8 or 16 bits. */
    {INTEGER(dataset, ignore, 255, -1, 65535, NULL,
        "Label id of pixels without a class, beside those that the layout knows; -1: there is "
        "none.")},
    {REAL(dataset, scale, 1, 0.01, 16, NULL,
        "Images are resized by this factor once they are decoded.")},
    /* A file of a few bytes may claim any size: this is looked at before memory is taken for it. */
    {REAL(dataset, max_megapixels, 100, 0.001, 10000, "megapixels",
        "Larger images are refused before they are decoded.")},
    {INTEGER(dataset, max_side, 0, 0, 65536, "pixels",
         "Images whose longer side is above it are packed with this one, upright and encoded anew "
         "(JPEG with quality 95, PNG exactly), so that pictures of tens of megapixels are decoded "
         "once; label maps are taken at their nearest pixels; 0: all images are packed as they "
         "are."),
        .later = true},
    {INTEGER(dataset, synth_train, 96, 1, 1000000, "images", "Training images of synth.")},
    {INTEGER(dataset, synth_val, 48, 1, 1000000, "images", "Validation images of synth.")},
    {INTEGER(dataset, synth_height, 120, 16, 8192, "pixels", "Height of synth's images.")},
    {INTEGER(dataset, synth_width, 160, 16, 8192, "pixels", "Width of synth's images.")},

    {CHOICE(model, backbone, MODEL_BACKBONE_RESNET18, "The encoder.")},
    {CHOICE(model, head, MODEL_HEAD_DEEPLABV3PLUS,
        "What makes the classifier's features of the encoder's.")},
    /* Aside: what a file of weights holds is part of a stage's key, where it lies is not. */
    {WORDS(model, weights, "",
         "Initial weights: safetensors or PyTorch's files, with torchvision's names or another "
         "project's (auxseg convert --rules); empty: random ones."),
        .aside = true},
    {CHOICE(model, norm, MODEL_NORM_GROUP,
        "Statistics of batch normalisation in training. group: over `group` consecutive images of "
        "the batch; sync: over the whole batch; frozen: the running ones.")},
    /* Not aside, unlike the arithmetic of the clustering's screen: bf16 rounds, and weights differ.
     */
    {CHOICE(model, dtype, MODEL_DTYPE_AUTO,
        "Type of activations and weights in the network's arithmetic; sums, norms and master "
        "weights are always f32 or better. auto: bf16 where every rank's processor is of a kind "
        "that is known to be faster at it, else f32; a run that is continued keeps what it began "
        "with.")},
    {CHOICE(model, winograd, MODEL_WINOGRAD_AUTO,
        "Convolutions by Winograd's minimal filtering, where it takes less time than direct ones "
        "for a layer's shape; off: direct ones alone, rounded a little less.")},
    /* Aside, as are wave, memory, screen and arithmetic below: by construction the same bits. */
    {CHOICE(model, recompute, MODEL_RECOMPUTE_NONE,
         "blocks: training keeps the ends of residual blocks alone and computes the rest again in "
         "the backward pass: less memory, more time, the same result."),
        .aside = true},
    {INTEGER(model, stages, 4, 1, 4, "stages", "The encoder is cut after this stage.")},
    {INTEGER(model, output_stride, 8, 8, 32, "pixels",
        "Distance of the encoder's outputs: 8, 16 or 32; later strides become dilations.")},
    {INTEGER(model, group, 8, 1, 4096, "images",
        "Images that share statistics under norm \"group\"; they stay on one rank.")},
    {INTEGER(model, wave, 0, 0, 1000000, "images",
         "Most images whose activations a rank holds at once in training, rounded to whole norm "
         "groups; the others of its batch follow in waves: less memory, the same result. 0: as "
         "many as fit in memory. Pretraining in several waves takes the forward pass twice."),
        .aside = true},
    {INTEGER(
        model, head_channels, 0, 0, 8192, "channels", "Width of the head; 0: as in torchvision.")},
    {INTEGER(model, projection, 128, 1, 8192, "dimensions",
        "Dimensions of the embeddings of contrastive pretraining.")},
    /* Aside: it decides between an error and the result, never between two results. */
    {FLAG(model, weights_strict, 0,
         "Initial weights whose classifier has another number of classes are refused. false: that "
         "layer is left out, with a line that names it, and begins at random."),
        .aside = true},
    {CHOICE(model, stem, MODEL_STEM_AUTO,
         "How a ResNet begins. plain: one 7x7 convolution; deep: three 3x3 ones (ResNetV1c, as in "
         "mmsegmentation); auto: as the names in the file of weights say, plain without one."),
        .later = true},
    {CHOICE(model, stride_in, MODEL_STRIDE_IN_AUTO,
         "Which convolution of a ResNet's bottlenecks strides. 3x3: as in torchvision; 1x1: the "
         "first, as in weights of Caffe and detectron2's own; auto: as the file of weights is "
         "known to have it, which detectron2's names are taken for 1x1 by."),
        .later = true},
    /* What follows is what a file of weights is known to want of its images, and how to say
     * otherwise. */
    {CHOICE(model, channels, MODEL_CHANNELS_AUTO,
         "Order of colours that the network is given. auto, here and in range, mean and std: what "
         "the weights want, by their own metadata or by the rule that their names follow (auxseg "
         "convert --rules); RGB, 0 to 1 and ImageNet's without weights. The log says which."),
        .later = true},
    {CHOICE(model, range, MODEL_RANGE_AUTO,
         "Colours as numbers. unit: from 0 to 1; bytes: from 0 to 255."),
        .later = true},
    {WORDS(model, mean, "auto",
         "Three numbers that are taken off the colours, in that order and range, separated by "
         "commas; \"0,0,0\" with std \"1,1,1\" for weights of SimCLR."),
        .later = true},
    {WORDS(model, std, "auto", "Three numbers that colours are then divided by."), .later = true},

    {CHOICE(extract, source, EXTRACT_SOURCE_AUTO,
        "What computes the features. weights: the encoder with the weights given; finetuned: the "
        "model fine-tuned on the labelled share, which is trained first; files: another program "
        "has "
        "computed them, extract.files; auto: files where that is given, weights where "
        "extract.weights or model.weights are, else finetuned. Rounds after the first take the "
        "model of the round before.")},
    /* Aside, with the next: what the files hold, and how it is read, is part of a stage's key. */
    {WORDS(extract, files, "",
         "Features of another program: a folder with a .npy a training image, of three dimensions, "
         "float16, float32 or float64, C order, for image NAME.ending NAME.npy in the same "
         "subfolders (or in the folder itself, where no two images have the same last part of "
         "their name); or one file in the format of features.h5, with .h5 at its end. A map of h x "
         "w covers its image evenly: height / h and width / w differ by what rounding at the edges "
         "makes."),
        .aside = true},
    {CHOICE(extract, files_order, EXTRACT_FILES_ORDER_AUTO,
         "Order of the dimensions in the .npy files of extract.files: [h, w, D] or [D, h, w]; "
         "auto: the one in which all maps cover their images and have the same D."),
        .aside = true},
    {WORDS(extract, weights, "", "Weights of the encoder; empty: model.weights."), .aside = true},
    {CHOICE(extract, backbone, EXTRACT_BACKBONE_MODEL,
         "The network that extract.weights are for. model: model.backbone; another word of it, or "
         "vit: a vision transformer (DINO, DINOv2, timm), whose form is read from the file, while "
         "model.backbone is what is trained with the labels."),
        .later = true},
    {CHOICE(extract, positions, EXTRACT_POSITIONS_AUTO,
         "Whose rule brings a transformer's position embeddings to an image's size. auto: dinov2 "
         "where the file has register_tokens or mask_token; dino where its names are DINO's, or it "
         "is a PyTorch file without a head; else timm."),
        .later = true},
    {WORDS(extract, layers, "",
        "Layers whose outputs are joined, separated by commas: layer1 to layer4, head; of a vision "
        "transformer block0, block1, ..., each also with .keys, .queries or .values, and norm. "
        "Empty: the last stage, of a transformer norm, or with source \"finetuned\" the head.")},
    {WORDS(extract, scales, "1",
         "Sizes of an image whose features are averaged, as factors separated by commas: \"0.75, "
         "1, "
         "1.5\". Maps of other sizes are brought to the image's own grid by bilinear "
         "interpolation, "
         "and averaged before normalize."),
        .later = true},
    {FLAG(extract, flip, 0, "Average with the features of the mirrored image, at each scale."),
        .later = true},
    {FLAG(extract, normalize, 1, "Every feature vector gets length 1.")},
    {INTEGER(extract, pca, 0, 0, 65536, "dimensions",
        "The features are projected on so many principal components, and get length 1 again under "
        "normalize; 0: all dimensions stay as they are.")},
    {CHOICE_OF(extract, dtype, dtype_words, DTYPE_F32,
        "Type that features are stored in, after normalize and pca; labels are those of the stored "
        "ones. bf16 takes half of the memory.")},
    {CHOICE(extract, memory, EXTRACT_MEMORY_HOLD,
         "hold: each rank has the features of its images in memory; stream: they are written to "
         "features.h5 image by image, stay there, and are read from it while they are clustered. "
         "The same results either way."),
        .aside = true},
    {FLAG(extract, keep, 0, "Write the features to features.h5, as the command `extract` does."),
        .aside = true},
    {WORDS(extract, npy, "",
         "File that the features are also written to, float32 [pixels, dimensions] for numpy, in "
         "the order of images and pixels, in the first round; empty: none."),
        .aside = true},

    {CHOICE(cluster, method, CLUSTER_METHOD_KMEANS,
        "How pixels are grouped. kmeans: each pixel by its nearest centroid, centroids are the "
        "means "
        "of their pixels. minibatch: centroids follow `batch` random pixels at a time, in "
        "`iterations` batches, an approximation; then each pixel gets the label of the nearest. "
        "dbscan: by density on a sample, which finds the number of "
        "clusters itself; the other pixels get the label of the nearest core point within eps, or "
        "none. Of this group it takes metric, sample, eps and min_points.")},
    {CHOICE(cluster, metric, CLUSTER_METRIC_COSINE,
        "cosine: spherical k-means, centroids have length 1 too.")},
    {CHOICE(cluster, screen, CLUSTER_SCREEN_AUTO,
         "How centroids that cannot be nearest are excluded; the labels are the same. dense: by a "
         "product with all of them; pruned: by bounds from the iterations before, then a product "
         "with the rest; auto: what is expected to be faster, in each iteration."),
        .aside = true},
    {CHOICE(cluster, arithmetic, CLUSTER_ARITHMETIC_AUTO,
         "What the products of the screen are computed in; the labels are the same. auto: the "
         "fastest that the processor has."),
        .aside = true},
    {CHOICE(cluster, init, CLUSTER_INIT_PLUSPLUS,
        "How initial centroids are chosen. plusplus: k-means++ on a sample of the pixels; random: "
        "pixels of the sample, evenly; parallel: k-means|| on all pixels, which costs as much as "
        "some ten iterations, and more where k is large; hierarchical: k-means with about sqrt(k) "
        "centroids, on 256 pixels of the sample for each, then within each of its clusters: for "
        "thousands of clusters, with a sample of 20 pixels a cluster or more.")},
    {WORDS(cluster, start, "",
         "File of initial centroids in place of `init`, with one start: a labels.h5, or float32 "
         "[k, dimensions] as .npy. What it holds counts, not its name."),
        .aside = true},
    {CHOICE(cluster, outlier_scope, CLUSTER_OUTLIER_SCOPE_GLOBAL,
        "The farthest pixels of all, or those of each cluster, are outliers.")},
    /* A label has 16 bits, and the last value is none. */
    {INTEGER(cluster, k, 100, 2, 65535, "clusters", "Number of auxiliary labels.")},
    {INTEGER(cluster, iterations, 25, 1, 100000, "iterations", "At most so many.")},
    {INTEGER(cluster, restarts, 1, 1, 1000, "starts", "The best of so many starts is taken.")},
    {INTEGER(cluster, sample, 60000, 2, 100000000, "pixels",
        "Size of the sample that starts are chosen from, or that DBSCAN works on: its cost grows "
        "with the square.")},
    {INTEGER(cluster, sample_iterations, 0, 0, 100000, "iterations",
         "Iterations of k-means on that sample before those on all pixels, after any init but "
         "parallel: cheaper than others, by as much as the sample is smaller. With 100 pixels a "
         "cluster and more, ten of them replace the first few on all pixels."),
        .later = true},
    {INTEGER(cluster, branch_iterations, 10, 0, 100000, "iterations",
         "init hierarchical: iterations within each of its clusters. 5 are ready sooner, 10 take "
         "the place of a part of those on all pixels."),
        .later = true},
    {INTEGER(cluster, min_points, 10, 1, INT_MAX, "pixels",
        "dbscan: pixels of the sample within eps, itself one of them, that make a core point.")},
    {INTEGER(cluster, batch, 10000, 1, 100000000, "pixels",
        "minibatch: pixels of a batch, over all ranks.")},
    /* Aside, as for run.checkpoint_steps. */
    {INTEGER(cluster, checkpoint_iterations, 1, 0, 100000, "iterations",
         "Distance of checkpoints within the clustering, which is longer where writing them would "
         "take more than a twentieth of the time; 0: only when it is stopped early."),
        .aside = true},
    {REAL(cluster, tolerance, 0, 0, 1, NULL,
        "Ends when the sum of squared distances falls by less than this share; 0: when no label "
        "changes.")},
    /* 0 is no distance: the right one is another for each network, so that there is no default. */
    {REAL(cluster, eps, 0, 0, 1e15, NULL,
        "dbscan: largest Euclidean distance of neighbours; must be given. Between features of "
        "length 1 it is sqrt(2 - 2 cosine).")},
    {REAL(cluster, outliers, 0.05, 0, 0.5, NULL,
        "Share of the pixels, the farthest from their centroids, that get no label.")},
};

const int settings_count_of_labels =
    (int)(sizeof settings_rows_of_labels / sizeof *settings_rows_of_labels);
