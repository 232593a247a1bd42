/* Which network extracts. A ResNet is known by a word; of a vision transformer the file's own names
 * and shapes say how large it is, so that any size of the family is one setting. By which authors'
 * rule its positions are resized cannot be seen in every file: DINO's and timm's tensors have the
 * same names. What can be seen decides under extract.positions = "auto", and the log says what was
 * decided. */
#include "src/app/stage/extractor.h"

#include "io/weights/tensor_file.h"
#include "src/base/log.h"
#include "src/base/text.h"

#include <stdio.h>
#include <string.h>

/* Signs of a file's authors. */
typedef struct origin {
    bool dinov2; /* register_tokens or mask_token, which only DINOv2's own files have */
    bool dino;   /* names begin as DINO's teacher and student do */
    bool bare;   /* of the trunk alone: no head */
    bool torch;  /* PyTorch's format; timm publishes safetensors */
} origin;

static void look(origin *o, const char *name) {
    if (text_ends_with(name, "register_tokens") || text_ends_with(name, "mask_token"))
        o->dinov2 = true;
    if (strncmp(name, "backbone.", 9) == 0 || strncmp(name, "module.backbone.", 16) == 0)
        o->dino = true;
    if (strncmp(name, "head.", 5) == 0 || strncmp(name, "fc_norm.", 8) == 0) o->bare = false;
}

static extract_positions positions_of(extract_positions wanted, const origin *o) {
    if (wanted != EXTRACT_POSITIONS_AUTO) return wanted;
    if (o->dinov2) return EXTRACT_POSITIONS_DINOV2;
    return o->dino || (o->torch && o->bare) ? EXTRACT_POSITIONS_DINO : EXTRACT_POSITIONS_TIMM;
}

/* DINOv2's models with registers came with antialias, those without have DINO's rule. */
static position_rule rule_of(extract_positions p, const vit *v) {
    switch (p) {
    case EXTRACT_POSITIONS_DINO:
        return POSITIONS_DINO;
    case EXTRACT_POSITIONS_DINOV2:
        return v->embed.registers > 0 ? POSITIONS_TIMM : POSITIONS_DINO;
    case EXTRACT_POSITIONS_AUTO:
    case EXTRACT_POSITIONS_TIMM:
        break;
    }
    return POSITIONS_TIMM;
}

/* `check` asks twice: what was said last is not said again. */
static void say(const char *path, const vit *v, extract_positions p) {
    static char said[2 * SETTINGS_TEXT];
    char line[2 * SETTINGS_TEXT];
    const patch_embed *e = &v->embed;
    snprintf(line, sizeof line,
        "%s: a vision transformer of %d blocks%s, %d channels, patches of %d, %d registers; "
        "positions of %d x %d are resized by the rule \"%s\" (extract.positions)",
        path, v->blocks, v->scaled ? " with layer scale" : "", v->width, e->patch, e->registers,
        e->grid, e->grid, extract_positions_words[p]);
    (strcmp(said, line) == 0 ? log_detail : log_info)("%s", line);
    strcpy(said, line);
}

/* Rank 0's part. */
static status read_form(vit *out, const char *path, extract_positions wanted) {
    tensor_file *f = NULL;
    vit v = {.width = 0};
    origin o = {.bare = true};
    char reason[64];
    status st = tensor_file_read_header(&f, path);
    for (int i = 0; st == STATUS_OK && i < tensor_file_count(f); i++) {
        tensor_info t = tensor_file_get(f, i);
        vit_look(&v, &(vit_tensor){t.name, t.dims, t.shape});
        look(&o, t.name);
    }
    if (st == STATUS_OK && !vit_complete(&v, reason, sizeof reason)) {
        log_error("%s: no vision transformer of extract.backbone = \"vit\": %s", path, reason);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) {
        o.torch = strncmp(tensor_file_format(f), "PyTorch", 7) == 0;
        extract_positions p = positions_of(wanted, &o);
        v.embed.rule = rule_of(p, &v);
        say(path, &v, p);
        *out = v;
    }
    tensor_file_close(f);
    return st;
}

void extractor_word(network_options *n, const settings *s) {
    extract_backbone b = s->extract.backbone;
    if (b != EXTRACT_BACKBONE_MODEL && b != EXTRACT_BACKBONE_VIT)
        n->backbone = (model_backbone)choice_find(model_backbone_words, extract_backbone_words[b]);
}

status extractor_network(
    network_options *n, const comm *c, const settings *s, const char *weights) {
    extractor_word(n, s);
    if (s->extract.backbone != EXTRACT_BACKBONE_VIT) return STATUS_OK;
    vit v = {.width = 0};
    status st = comm_root(c) ? read_form(&v, weights, s->extract.positions) : STATUS_OK;
    st = comm_agree(c, st);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, &v, sizeof v);
    n->vit = v;
    return STATUS_OK;
}
