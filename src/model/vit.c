/* The network as its authors have it, and its form read from a file's names and shapes: how wide
 * and deep it is, the patch, positions, registers, layer scale. What no tensor says is the number
 * of heads, which these networks have by their width (64 channels a head, but for a few), and by
 * which authors' rule positions are resized.
 *
 * Maps of patches are taken from the tokens where the block that makes them ends, so that a block
 * further on can overwrite the tokens. */
#include "src/model/vit.h"

#include "src/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the form ---- */

/* What stands in front of the name that we know it by goes: "module.backbone.", "blocks" not. */
static const char *known_part(const char *name) {
    static const char *const begin[] = {
        "blocks.", "pos_embed", "patch_embed.", "reg_token", "register_tokens"};
    for (const char *at = name; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL)
        for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
            if (strncmp(at, begin[i], strlen(begin[i])) == 0) return at;
    return "";
}

/* The side of a square of n, or 0. */
static int side_of(int64_t n) {
    int side = 0;
    while ((int64_t)(side + 1) * (side + 1) <= n && side < 4096) side++;
    return (int64_t)side * side == n ? side : 0;
}

/* Of a square n, n + 1 is none: whether the class token has a position follows. */
static void look_positions(vit *v, int64_t positions) {
    v->embed.grid = side_of(positions);
    v->embed.class_position = v->embed.grid == 0;
    if (v->embed.class_position) v->embed.grid = side_of(positions - 1);
}

void vit_look(vit *v, const vit_tensor *t) {
    const char *name = known_part(t->name);
    if (strstr(t->name, "base_encoder.") || strstr(t->name, "momentum_encoder.")) v->moco = true;
    if (t->dims == 3 && strcmp(name, "pos_embed") == 0) look_positions(v, t->shape[1]);
    if (t->dims == 4 && strcmp(name, "patch_embed.proj.weight") == 0 && t->shape[0] <= 8192 &&
        t->shape[3] <= 64) {
        v->width = v->embed.channels = (int)t->shape[0];
        v->embed.patch = (int)t->shape[3];
    }
    bool registers = strcmp(name, "register_tokens") == 0;
    if (t->dims == 3 && t->shape[1] <= 64 && (registers || strcmp(name, "reg_token") == 0)) {
        v->embed.register_tokens = registers;
        v->embed.registers = (int)t->shape[1];
    }
    if (strncmp(name, "blocks.", 7) != 0) return;
    char *end;
    long block = strtol(name + 7, &end, 10);
    if (end == name + 7 || block < 0 || block >= VIT_BLOCKS) return;
    if (block >= v->blocks) v->blocks = (int)block + 1;
    if (strcmp(end, ".ls1.gamma") == 0) v->scaled = true;
}

bool vit_complete(const vit *v, char *reason, size_t size) {
    const char *lacks = v->width == 0         ? "no patch_embed.proj.weight"
                        : v->embed.grid == 0  ? "no pos_embed of a square grid"
                        : v->blocks == 0      ? "no blocks.0"
                        : v->width % VIT_HEAD ? "a width that is no multiple of 64"
                        : v->embed.patch == 0 ? "an empty patch"
                                              : NULL;
    snprintf(reason, size, "%s", lacks ? lacks : "");
    return !lacks;
}

/* The huge networks of timm, MAE and MoCo v3 have heads of 80 channels, and MoCo v3's small one, of
 * the width of everybody's, has twelve of 32 (its vits.py). */
int vit_heads(const vit *v) {
    if (v->width == 1280) return 16;
    return v->moco && v->width == 384 ? 12 : v->width / VIT_HEAD;
}

/* ---- layers ---- */

typedef enum part { PART_OUTPUT, PART_QUERIES, PART_KEYS, PART_VALUES, PARTS } part;

/* Outputs that are asked for, in the list's order. */
typedef struct layer_list {
    int block[GRAPH_CONCAT]; /* of "norm": the number of blocks */
    part what[GRAPH_CONCAT];
    value map[GRAPH_CONCAT];
    int count, deepest;
} layer_list;

/* "block9.keys" without its end; false: unknown. */
static bool find_layer(const char *name, size_t length, int blocks, int *block, part *what) {
    static const char *const parts[PARTS] = {"", ".queries", ".keys", ".values"};
    char text[32], *end;
    if (length >= sizeof text) return false;
    memcpy(text, name, length);
    text[length] = '\0';
    *what = PART_OUTPUT;
    *block = blocks;
    if (strcmp(text, "norm") == 0) return true;
    if (strncmp(text, "block", 5) != 0 || text[5] < '0' || text[5] > '9') return false;
    long n = strtol(text + 5, &end, 10);
    if (n >= blocks) return false;
    *block = (int)n;
    for (int i = 0; i < PARTS; i++) {
        *what = (part)i;
        if (strcmp(end, parts[i]) == 0) return true;
    }
    return false;
}

static bool named_before(const layer_list *l) {
    int last = l->count;
    for (int i = 0; i < last; i++)
        if (l->block[i] == l->block[last] && l->what[i] == l->what[last]) return true;
    return false;
}

/* Each layer once, none that the network does not have. */
static status read_layers(layer_list *out, const char *text, int blocks) {
    layer_list l = {.count = 0};
    for (const char *at = text; at;) {
        const char *comma = strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        const char *wrong = l.count == GRAPH_CONCAT ? "one too many" : NULL;
        if (!wrong && !find_layer(at, length, blocks, &l.block[l.count], &l.what[l.count]))
            wrong = "unknown";
        if (!wrong && named_before(&l)) wrong = "named twice";
        if (wrong) {
            log_error("layers = \"%s\": \"%.*s\" is %s; known are block0 .. block%d, each with "
                      ".keys, .queries or .values or as it is, and norm",
                text, (int)length, at, wrong, blocks - 1);
            return STATUS_USAGE;
        }
        if (l.block[l.count] > l.deepest) l.deepest = l.block[l.count];
        l.count++;
        at = comma ? comma + 1 : NULL;
    }
    *out = l;
    return STATUS_OK;
}

/* ---- the network ---- */

typedef struct builder {
    graph *g;
    const vit *v;
    value image;
    layer_list *wanted;
} builder;

/* Whether the list has it; its map is made of x, from the channel on that it begins at. */
static void take(const builder *b, value x, int block, part what) {
    for (int i = 0; i < b->wanted->count; i++) {
        if (b->wanted->block[i] != block || b->wanted->what[i] != what) continue;
        int channel = what == PART_OUTPUT ? 0 : ((int)what - PART_QUERIES) * b->v->width;
        b->wanted->map[i] = graph_patches(b->g, x, b->image, &b->v->embed, channel, b->v->width);
    }
}

static value named_linear(const builder *b, value x, int block, const char *name, int channels) {
    char text[PARAMETER_NAME];
    snprintf(text, sizeof text, "backbone.blocks.%d.%s", block, name);
    return graph_linear(b->g, x, text, channels);
}

static value named_norm(const builder *b, value x, int block, const char *name) {
    char text[PARAMETER_NAME];
    snprintf(text, sizeof text, "backbone.blocks.%d.%s", block, name);
    return graph_layer_norm(b->g, x, text);
}

/* x + gamma y; without layer scale the sum alone. */
static value residual(const builder *b, value x, value y, int block, const char *name) {
    char text[PARAMETER_NAME];
    snprintf(text, sizeof text, "backbone.blocks.%d.%s", block, name);
    if (b->v->scaled) y = graph_scale(b->g, y, text);
    return graph_add(b->g, x, y, false);
}

/* Whether the block's keys, or the like, are the last thing that anyone reads. */
static bool ends_in_attention(const builder *b, int block) {
    if (block != b->wanted->deepest) return false;
    for (int i = 0; i < b->wanted->count; i++)
        if (b->wanted->block[i] == block && b->wanted->what[i] == PART_OUTPUT) return false;
    return true;
}

static value build_block(const builder *b, value x, int block) {
    int width = b->v->width;
    value qkv = named_linear(b, named_norm(b, x, block, "norm1"), block, "attn.qkv", 3 * width);
    for (part what = PART_QUERIES; what < PARTS; what++) take(b, qkv, block, what);
    if (ends_in_attention(b, block)) return x;
    value y = graph_attention(b->g, qkv, vit_heads(b->v));
    x = residual(b, x, named_linear(b, y, block, "attn.proj", width), block, "ls1");
    char prefix[PARAMETER_NAME];
    snprintf(prefix, sizeof prefix, "backbone.blocks.%d", block);
    x = graph_mlp(b->g, x, named_norm(b, x, block, "norm2"), prefix, 4 * width, b->v->scaled);
    take(b, x, block, PART_OUTPUT);
    return x;
}

status vit_build(graph *g, value image, const vit *v, const char *layers, value *out) {
    layer_list wanted;
    status st = read_layers(&wanted, layers, v->blocks);
    if (st != STATUS_OK) return st;
    builder b = {g, v, image, &wanted};
    value x = graph_embed(g, image, "backbone", v->embed);
    for (int i = 0; i < v->blocks && i <= wanted.deepest; i++) x = build_block(&b, x, i);
    if (wanted.deepest == v->blocks)
        take(&b, graph_layer_norm(g, x, "backbone.norm"), v->blocks, PART_OUTPUT);
    *out = wanted.count > 1 ? graph_concat(g, wanted.map, wanted.count) : wanted.map[0];
    return STATUS_OK;
}
