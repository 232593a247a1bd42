#include "io/weights/pickle.h"
#include "src/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const pickle_name names[] = {
    {.module = "collections", .name = "OrderedDict", .makes = PICKLE_MAKES_DICT},
    {.module = "builtins", .name = "set", .makes = PICKLE_MAKES_LIST},
    {.module = "lib", .name = "make", .makes = PICKLE_MAKES_CALL, .id = 7},
    {.module = "lib", .name = "Type", .makes = PICKLE_MAKES_NOTHING, .id = 8},
    {.module = "lib", .name = "Object", .makes = PICKLE_MAKES_RECORD, .id = 7},
};
static const pickle_rules rules = {.path = "test", .name = names, .count = 5};

#define P(text) text, sizeof text - 1

static void sound_pickles_are_read(void **state) {
    (void)state;
    static const struct {
        const char *what, *bytes;
        size_t size;
        pickle_kind kind;
        uint32_t count; /* of containers and texts */
        int64_t integer;
    } cases[] = {
        {"None", P("\x80\2N."), PICKLE_NONE, 0, 0},
        {"True", P("\x80\2\x88."), PICKLE_BOOL, 0, 1},
        {"one byte", P("\x80\2K\xff."), PICKLE_INTEGER, 0, 255},
        {"two bytes", P("\x80\2M\1\2."), PICKLE_INTEGER, 0, 513},
        {"four bytes, negative", P("\x80\2J\xfe\xff\xff\xff."), PICKLE_INTEGER, 0, -2},
        {"long, empty", P("\x80\2\x8a\0."), PICKLE_INTEGER, 0, 0},
        {"long, negative", P("\x80\2\x8a\1\x80."), PICKLE_INTEGER, 0, -128},
        {"long of five bytes", P("\x80\2\x8a\5\0\0\0\0\1."), PICKLE_INTEGER, 0, 1LL << 32},
        {"long beyond 64 bits",
            P("\x80\2\x8a\x9"
              "123456789."),
            PICKLE_LONG, 9, 0},
        {"text", P("\x80\2X\3\0\0\0abc."), PICKLE_TEXT, 3, 0},
        {"short text", P("\x80\4\x8c\3abc."), PICKLE_TEXT, 3, 0},
        {"bytes", P("\x80\3C\2ab."), PICKLE_BYTES, 2, 0},
        {"empty tuple", P("\x80\2)."), PICKLE_TUPLE, 0, 0},
        {"tuple of three", P("\x80\2NNN\x87."), PICKLE_TUPLE, 3, 0},
        {"tuple of four", P("\x80\2(NNNNt."), PICKLE_TUPLE, 4, 0},
        {"list", P("\x80\2](NNe."), PICKLE_LIST, 2, 0},
        {"list, one by one", P("\x80\2]NaNa."), PICKLE_LIST, 2, 0},
        {"dictionary", P("\x80\2}(K\1NK\2Nu."), PICKLE_DICT, 4, 0},
        {"dictionary, one by one", P("\x80\2}K\1Ns."), PICKLE_DICT, 2, 0},
        {"OrderedDict",
            P("\x80\2"
              "ccollections\nOrderedDict\n)RK\1Ns."),
            PICKLE_DICT, 2, 0},
        {"OrderedDict of pairs",
            P("\x80\2"
              "ccollections\nOrderedDict\n](K\1N\x86K\2N\x86"
              "e\x85R."),
            PICKLE_DICT, 4, 0},
        {"its attributes",
            P("\x80\2"
              "ccollections\nOrderedDict\n)R}b."),
            PICKLE_DICT, 0, 0},
        {"set",
            P("\x80\2"
              "cbuiltins\nset\n](NNe\x85R."),
            PICKLE_LIST, 2, 0},
        {"name on the stack", P("\x80\4\x8c\3lib\x8c\4Type\x93."), PICKLE_NAME, 0, 0},
        {"call",
            P("\x80\2"
              "clib\nmake\nN\x85R."),
            PICKLE_CALL, 1, 0},
        {"an object and its state",
            P("\x80\2"
              "clib\nObject\n)\x81K\1b."),
            PICKLE_CALL, 1, 0},
        {"a dictionary's class",
            P("\x80\2"
              "ccollections\nOrderedDict\n)\x81}K\1Nsb."),
            PICKLE_DICT, 0, 0},
        {"persistent", P("\x80\2NQ."), PICKLE_PERSISTENT, 1, 0},
        {"memo",
            P("\x80\2K\5q\0"
              "0h\0."),
            PICKLE_INTEGER, 0, 5},
        {"memo in order, frame",
            P("\x80\4\x95\6\0\0\0\0\0\0\0K\5\x94"
              "0h\0."),
            PICKLE_INTEGER, 0, 5},
        {"a list within itself", P("\x80\2]q\0h\0a."), PICKLE_LIST, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pickle *p = NULL;
        size_t used = 0;
        status st = pickle_read(&p, &rules, cases[i].bytes, cases[i].size, &used);
        if (st != STATUS_OK) fail_msg("%s: status %d", cases[i].what, st);
        const pickle_value *v = pickle_get(p, pickle_root(p));
        if (v->kind != cases[i].kind || v->count != cases[i].count || used != cases[i].size)
            fail_msg("%s: kind %d, count %u, used %zu", cases[i].what, v->kind, v->count, used);
        if (v->kind == PICKLE_INTEGER || v->kind == PICKLE_BOOL)
            assert_int_equal(v->integer, cases[i].integer);
        if (v->kind == PICKLE_CALL) assert_int_equal(v->name->id, 7);
        pickle_free(p);
    }
}

static void reals_are_big_endian(void **state) {
    (void)state;
    pickle *p;
    size_t used;
    assert_int_equal(pickle_read(&p, &rules, P("\x80\2G\x3f\xf8\0\0\0\0\0\0."), &used), STATUS_OK);
    assert_true(pickle_get(p, pickle_root(p))->real == 1.5);
    pickle_free(p);
}

static void broken_and_foreign_pickles_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *what, *bytes;
        size_t size;
    } cases[] = {
        {"nothing", P("")},
        {"no end", P("\x80\2N")},
        {"nothing on the stack", P("\x80\2.")},
        {"protocol 1", P("\x80\1N.")},
        {"protocol 6", P("\x80\6N.")},
        {"protocol 0's integer", P("I1\n.")},
        {"protocol 0's text", P("S'a'\n.")},
        {"number cut off", P("\x80\2J\1\2")},
        {"text beyond the end", P("\x80\2X\xff\xff\xff\x7f"
                                  "abc.")},
        {"text of 2^64 bytes", P("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
                                 "abc.")},
        {"pop of nothing", P("\x80\2"
                             "0N.")},
        {"pop below a mark", P("\x80\2N(0.")},
        {"end below a mark", P("\x80\2N(.")},
        {"tuple below a mark", P("\x80\2N(\x85.")},
        {"mark missing", P("\x80\2Nt.")},
        {"append to nothing", P("\x80\2Na.")},
        {"append to a number", P("\x80\2K\1Na.")},
        {"append across a mark", P("\x80\2](Na.")},
        {"append to a dictionary", P("\x80\2}Na.")},
        {"key without a value", P("\x80\2}(Nu.")},
        {"dictionary of an odd number", P("\x80\2(Nd.")},
        {"memo, empty place", P("\x80\2h\0.")},
        {"memo, place of 4 billion", P("\x80\2Nr\xff\xff\xff\xff.")},
        {"memo of nothing", P("\x80\2q\0.")},
        {"name without an end", P("\x80\2"
                                  "cos\nsystem")},
        {"os.system", P("\x80\2"
                        "cos\nsystem\nX\2\0\0\0ls\x85R.")},
        {"builtins.eval", P("\x80\4\x8c\x8"
                            "builtins\x8c\4eval\x93.")},
        {"name with escapes", P("\x80\2"
                                "c\x1b[2J\nx\n.")},
        {"name that begins like one", P("\x80\2"
                                        "clib\nmaker\n.")},
        {"name of numbers", P("\x80\4NN\x93.")},
        {"call of a number", P("\x80\2K\1)R.")},
        {"call with a list", P("\x80\2"
                               "clib\nmake\n]R.")},
        {"call of what is not called", P("\x80\2"
                                         "clib\nType\n)R.")},
        {"dictionary of two things", P("\x80\2"
                                       "ccollections\nOrderedDict\nNN\x86R.")},
        {"dictionary of numbers", P("\x80\2"
                                    "ccollections\nOrderedDict\n]K\1a\x85R.")},
        {"state of a list", P("\x80\2]}b.")},
        {"state of a call", P("\x80\2"
                              "clib\nmake\n)R}b.")},
        {"NEWOBJ", P("\x80\2"
                     "clib\nmake\n)\x81.")},
        {"INST", P("\x80\2(ilib\nmake\n.")},
        {"OBJ", P("\x80\2(clib\nmake\no.")},
        {"EXT1", P("\x80\2\x82\1.")},
        {"BYTEARRAY8", P("\x80\5\x96\0\0\0\0\0\0\0\0.")},
        {"PERSID of text", P("\x80\2Pa\n.")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pickle *p = NULL;
        size_t used;
        status st = pickle_read(&p, &rules, cases[i].bytes, cases[i].size, &used);
        if (st != STATUS_DATA) fail_msg("%s: status %d", cases[i].what, st);
        assert_null(p);
    }
}

/* Many lists of one item each are the most memory for a byte. */
static void memory_is_bounded(void **state) {
    (void)state;
    size_t size = PICKLE_LIMIT, used;
    char *bytes = memory_alloc(size, 1, "test");
    pickle *p = NULL;
    assert_non_null(bytes);
    for (size_t i = 0; i + 3 <= size; i += 3) memcpy(bytes + i, "]Na", 3);
    assert_int_equal(pickle_read(&p, &rules, bytes, size, &used), STATUS_DATA);
    memset(bytes, ']', size);
    assert_int_equal(pickle_read(&p, &rules, bytes, size, &used), STATUS_DATA);
    memory_free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_pickles_are_read),
        cmocka_unit_test(reals_are_big_endian),
        cmocka_unit_test(broken_and_foreign_pickles_are_refused),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
