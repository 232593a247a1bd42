#include "src/app/setup.h"

#include "src/base/hash.h"
#include "src/base/log.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

status setup_path(char *path, const settings *s, const char *name, int round) {
    char file[256];
    const char *dot = strrchr(name, '.');
    int n = round > 1 && dot
                ? snprintf(file, sizeof file, "%.*s-%d%s", (int)(dot - name), name, round, dot)
                : snprintf(file, sizeof file, "%s", name);
    if (n < 0 || (size_t)n >= sizeof file) {
        log_error("%s: name too long", name);
        return STATUS_USAGE;
    }
    return file_path(path, s->run.dir, file);
}

status setup_folder(const comm *c, const settings *s) {
    char path[FILE_PATH];
    status st = setup_path(path, s, "checkpoints", 1);
    if (st == STATUS_OK && comm_root(c)) st = file_make_folder(path);
    return comm_agree(c, st);
}

status setup_dataset(const comm *c, const settings *s, dataset **out) {
    char path[FILE_PATH];
    status st = comm_agree(c, setup_path(path, s, "dataset.h5", 1));
    return st == STATUS_OK ? dataset_open(c, path, out) : st;
}

int setup_training(const dataset *d) {
    int n = 0;
    while (n < dataset_count(d) && dataset_get(d, n).split == SPLIT_TRAIN) n++;
    return n;
}

status setup_arithmetic(const comm *c, const settings *s, plan_options *out) {
    int32_t rank[2] = {!plan_supports(DTYPE_BF16), !plan_fast_bf16()};
    comm_max_i32(c, rank, 2);
    bool lacking = rank[0] != 0, fast = rank[1] == 0, automatic = s->model.dtype[0] == 'a';
    if (strcmp(s->model.dtype, "bf16") == 0 && lacking) {
        log_error("model.dtype = \"bf16\": a rank's processor has no bf16 arithmetic");
        return STATUS_USAGE;
    }
    bool bf16 = automatic ? fast : strcmp(s->model.dtype, "bf16") == 0;
    out->type = bf16 ? DTYPE_BF16 : DTYPE_F32;
    out->products = bf16 && fast ? DTYPE_BF16 : DTYPE_F32;
    out->direct = strcmp(s->model.winograd, "off") == 0;
    log_info("data type: %s%s%s", bf16 ? "bf16" : "f32",
        lacking ? " (a rank's processor has no bf16 arithmetic)"
        : fast  ? ""
                : " (bf16 arithmetic is slower than f32 on a rank's processor)",
        out->direct ? ", direct convolutions" : "");
    return STATUS_OK;
}

uint64_t setup_arithmetic_hash(uint64_t hash, const plan_options *o) {
    int how[] = {(int)o->type, (int)o->products, o->direct};
    return hash_append(hash, how, sizeof how);
}

int setup_threads(const settings *s) {
    return s->run.threads > 0 ? s->run.threads : omp_get_max_threads();
}

network_options setup_network(const settings *s, const dataset *d) {
    return (network_options){.backbone = s->model.backbone,
        .stages = s->model.stages,
        .output_stride = s->model.output_stride,
        .head = s->model.head,
        .head_channels = s->model.head_channels,
        .classes = dataset_classes(d),
        .projection = s->model.projection};
}

norm_mode setup_norm(const settings *s) {
    if (strcmp(s->model.norm, "group") == 0) return NORM_GROUP;
    return strcmp(s->model.norm, "sync") == 0 ? NORM_SYNC : NORM_FROZEN;
}

schedule_kind setup_schedule(const char *name) {
    if (strcmp(name, "constant") == 0) return SCHEDULE_CONSTANT;
    return strcmp(name, "cosine") == 0 ? SCHEDULE_COSINE : SCHEDULE_POLYNOMIAL;
}

size_t setup_cache_bytes(const comm *c) {
    enum { SHARE = 4 };
    long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size / SHARE / (size_t)comm_node_size(c)
                                 : 0;
}
