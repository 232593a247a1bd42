/* Weights from one safetensors file to another: names as this program writes them. */
#include "src/app/tools/convert.h"

#include "io/weights/safetensors.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

/* torchvision's names: without DistributedDataParallel's "module.", and a bare encoder's tensors
 * ("conv1.weight", "layer1...") under "backbone.". */
static char *torchvision_name(const char *name) {
    static const char *const bare[] = {
        "conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4."};
    size_t n = strlen(name) + sizeof "backbone.";
    char *out = memory_alloc(n, 1, "tensor name");
    if (strncmp(name, "module.", 7) == 0) name += 7;
    bool encoder = false;
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        encoder = encoder || strncmp(name, bare[i], strlen(bare[i])) == 0;
    if (out) snprintf(out, n, "%s%s", encoder ? "backbone." : "", name);
    return out;
}

static status write_renamed(const safetensors *f, const char *to) {
    const char *metadata[] = {"format", "pt", "program", "auxseg " AUXSEG_VERSION};
    int count = safetensors_count(f);
    tensor_info *t = memory_alloc((size_t)count, sizeof *t, "tensors");
    char **name = memory_alloc((size_t)count, sizeof *name, "tensor names");
    status st = t && name ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; i < count && st == STATUS_OK; i++) {
        t[i] = safetensors_get(f, i);
        t[i].name = name[i] = torchvision_name(t[i].name);
        if (!name[i]) st = STATUS_FAILED;
    }
    if (st == STATUS_OK) st = safetensors_write(to, t, count, metadata, 2);
    if (st == STATUS_OK) printf("%s: %d tensors\n", to, count);
    for (int i = 0; name && i < count; i++) memory_free(name[i]);
    memory_free(name);
    memory_free(t);
    return st;
}

status command_convert(int argc, char **argv) {
    safetensors *f = NULL;
    if (argc != 2) {
        log_error("convert: two files are needed (auxseg convert IN OUT)");
        return STATUS_USAGE;
    }
    status st = safetensors_read(&f, argv[0]);
    if (st == STATUS_OK) st = safetensors_verify(f, NULL);
    if (st == STATUS_OK) st = write_renamed(f, argv[1]);
    safetensors_close(f);
    return st;
}
