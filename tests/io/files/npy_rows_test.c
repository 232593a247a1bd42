/* Rows of all ranks in one file: the bytes that one rank writes. */
#include "io/files/file.h"
#include "io/files/npy.h"
#include "io/files/npy_rows.h"
#include "mpi/shard.h"
#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ROWS = 9001, D = 5 }; /* more than are converted at once */

/* This rank's rows of element i = i / 4, rounded to bf16. */
static features make_rows(dtype type) {
    int64_t begin = shard_begin(ROWS, comm_rank(world), comm_size(world));
    int64_t end = shard_begin(ROWS, comm_rank(world) + 1, comm_size(world));
    features x = {.n = (size_t)(end - begin), .d = D, .type = type, .before = begin, .total = ROWS};
    x.data = memory_alloc(x.n * D, dtype_size(type), "rows");
    assert_non_null(x.data);
    for (size_t i = 0; i < x.n * D; i++) {
        uint16_t bits = bf16_from_float((float)((size_t)begin * D + i) / 4);
        if (type == DTYPE_BF16)
            ((uint16_t *)x.data)[i] = bits;
        else
            ((float *)x.data)[i] = bf16_to_float(bits);
    }
    return x;
}

static void written_by_all(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        features x = make_rows(t ? DTYPE_BF16 : DTYPE_F32);
        const char *path = scratch_path(&folder, "x.npy");
        assert_int_equal(npy_write_rows(world, path, &x), STATUS_OK);
        if (comm_root(world)) {
            float *data;
            size_t rows, columns;
            assert_int_equal(npy_read_f32(path, &data, &rows, &columns), STATUS_OK);
            assert_int_equal(rows, ROWS);
            assert_int_equal(columns, D);
            for (size_t i = 0; i < ROWS * D; i++)
                assert_true(data[i] == bf16_to_float(bf16_from_float((float)i / 4)));
            memory_free(data);
            assert_false(file_exists(scratch_path(&folder, "x.npy" FILE_TEMPORARY)));
        }
        comm_barrier(world);
        memory_free(x.data);
    }
}

/* More labels than are gathered at once, shared out unevenly; the first rank has none. */
static void labels_by_one(void **state) {
    (void)state;
    enum { LABELS = (1 << 22) + 12345 };
    int rank = comm_rank(world), size = comm_size(world);
    int64_t begin = size == 1 ? 0 : shard_begin(LABELS, rank > 0 ? rank - 1 : 0, size - 1);
    int64_t end = size == 1 ? LABELS : rank == 0 ? 0 : shard_begin(LABELS, rank, size - 1);
    uint16_t *label = memory_alloc((size_t)(end - begin), sizeof *label, "labels");
    const char *path = scratch_path(&folder, "l.npy");
    for (int64_t i = begin; i < end; i++) label[i - begin] = (uint16_t)(i * 7 % 65536);
    assert_int_equal(npy_write_labels(world, path, label, end - begin, begin, LABELS), STATUS_OK);
    if (comm_root(world)) {
        int32_t *data;
        size_t n;
        assert_int_equal(npy_read_i32(path, &data, &n), STATUS_OK);
        assert_int_equal(n, LABELS);
        for (int64_t i = 0; i < LABELS; i++) assert_int_equal(data[i], i * 7 % 65536);
        memory_free(data);
    }
    comm_barrier(world);
    assert_int_equal(npy_write_labels(world, scratch_path(&folder, "no/such/l.npy"), label,
                         end - begin, begin, LABELS),
        STATUS_OUTPUT);
    memory_free(label);
}

static void unwritable(void **state) {
    (void)state;
    features x = make_rows(DTYPE_F32);
    assert_int_equal(
        npy_write_rows(world, scratch_path(&folder, "no/such/x.npy"), &x), STATUS_OUTPUT);
    memory_free(x.data);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_by_all),
        cmocka_unit_test(labels_by_one),
        cmocka_unit_test(unwritable),
    };
    int failed;
    WORLD_RUN(tests, failed);
    return failed;
}
