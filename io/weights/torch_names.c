/* The table of names. A storage's class and a dtype of the same numbers have the same place in
 * `type`. Left out, and so refused by name: complex128, quantized and sparse tensors, which
 * safetensors has not, and every other class. This table is the whole of what a file of weights may
 * ask for: whatever is added here is open to every file that is read. "__builtin__" is what Python
 * 2 called the module of its own types, and what Python 3 still writes in protocol 2. */
#include "io/weights/torch_names.h"

/* By safetensors' names. The numbers in the rows below are places in this list: append, never
 * insert. */
static const char *const type[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8",
    "BOOL", "C64", "U16", "U32", "U64", "F8_E4M3", "F8_E5M2"};
enum { TYPES = sizeof type / sizeof *type };

/* Three kinds of rows: what torch_file.c knows to read as a call, what becomes a container, and
 * what is named only. */
#define CALL(module_, name_, id_)                                                                  \
    { .module = module_, .name = name_, .makes = PICKLE_MAKES_CALL, .id = id_ }
#define MAKES(module_, name_, makes_)                                                              \
    { .module = module_, .name = name_, .makes = makes_ }
#define NAMED(name_, index_)                                                                       \
    { .module = "torch", .name = name_, .makes = PICKLE_MAKES_NOTHING, .id = TORCH_TYPE + (index_) }

static const pickle_name names[] = {
    MAKES("collections", "OrderedDict", PICKLE_MAKES_DICT),
    /* What training programs keep beside the weights: how they were called, and a best score. */
    MAKES("argparse", "Namespace", PICKLE_MAKES_DICT),
    MAKES("numpy", "dtype", PICKLE_MAKES_RECORD),
    MAKES("numpy.core.multiarray", "scalar", PICKLE_MAKES_RECORD),
    MAKES("numpy._core.multiarray", "scalar", PICKLE_MAKES_RECORD),
    MAKES("_codecs", "encode", PICKLE_MAKES_RECORD),
    MAKES("builtins", "set", PICKLE_MAKES_LIST),
    MAKES("__builtin__", "set", PICKLE_MAKES_LIST),
    CALL("torch", "Size", TORCH_OTHER),
    CALL("torch", "device", TORCH_OTHER),
    CALL("torch._utils", "_rebuild_tensor", TORCH_TENSOR),
    CALL("torch._utils", "_rebuild_tensor_v2", TORCH_TENSOR_V2),
    CALL("torch._utils", "_rebuild_tensor_v3", TORCH_TENSOR_V3),
    CALL("torch._utils", "_rebuild_parameter", TORCH_PARAMETER),
    {.module = "torch.storage",
        .name = "UntypedStorage",
        .makes = PICKLE_MAKES_NOTHING,
        .id = TORCH_STORAGE_UNTYPED},
    NAMED("DoubleStorage", 0),
    NAMED("FloatStorage", 1),
    NAMED("HalfStorage", 2),
    NAMED("BFloat16Storage", 3),
    NAMED("LongStorage", 4),
    NAMED("IntStorage", 5),
    NAMED("ShortStorage", 6),
    NAMED("CharStorage", 7),
    NAMED("ByteStorage", 8),
    NAMED("BoolStorage", 9),
    NAMED("ComplexFloatStorage", 10),
    NAMED("float64", 0),
    NAMED("float32", 1),
    NAMED("float16", 2),
    NAMED("bfloat16", 3),
    NAMED("int64", 4),
    NAMED("int32", 5),
    NAMED("int16", 6),
    NAMED("int8", 7),
    NAMED("uint8", 8),
    NAMED("bool", 9),
    NAMED("complex64", 10),
    NAMED("uint16", 11),
    NAMED("uint32", 12),
    NAMED("uint64", 13),
    NAMED("float8_e4m3fn", 14),
    NAMED("float8_e5m2", 15),
};

pickle_rules torch_rules(const char *path) {
    return (pickle_rules){.path = path, .name = names, .count = sizeof names / sizeof *names};
}

const char *torch_type_of(const pickle_value *name) {
    if (name->kind != PICKLE_NAME || name->name->id < TORCH_TYPE) return NULL;
    int at = name->name->id - TORCH_TYPE;
    return at < TYPES ? type[at] : NULL;
}
