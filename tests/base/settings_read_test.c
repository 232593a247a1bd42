/* Reading settings: every mistake is named, with its place, and nothing is changed. */
#include "src/base/settings.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>

static char folder[] = "/tmp/auxseg-settings-XXXXXX", path[64];
static settings s, before;
static capture out;

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/a.cfg", folder);
    return chdir(folder);
}

static int teardown(void **state) {
    (void)state;
    remove(path);
    return rmdir(folder);
}

static status read_with(const char *text, const char *const *set, int sets) {
    if (text) {
        FILE *f = fopen("a.cfg", "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
    memset(&s, 0x5A, sizeof s);
    before = s;
    capture_begin(&out, STDERR_FILENO);
    status st = settings_read(&s, text ? "a.cfg" : NULL, set, sets);
    capture_end(&out);
    if (st != STATUS_OK) assert_memory_equal(&s, &before, sizeof s);
    return st;
}

/* One mistake a file, the message that it gets. */
static void test_mistakes_in_a_file(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"run: { dirr = \"x\"; };", "a.cfg:1: unknown key run.dirr: did you mean run.dir?"},
        {"\nmodle: { stages = 3; };", "a.cfg:2: unknown group modle: did you mean model?"},
        {"extract: { source = \"weights\"; };", "extract.source = \"weights\": there are none"},
        {"dataset: { crop = 3; };", "unknown key dataset.crop: did you mean pretrain.crop?"},
        {"\xEF\xBB\xBF" /* skipped */ "run: { dirr = \"x\"; };", "a.cfg:1: unknown key run.dirr"},
        {"run: { seed = \"1\"; };", "run.seed: an integer is expected, not a string"},
        {"run: { seed = 1.0; };", "run.seed: an integer is expected, not a number with a fraction"},
        {"run: { compare = 1; };", "run.compare: true or false is expected, not an integer"},
        {"run: { dir = true; };", "run.dir: a string in quotes is expected, not true or false"},
        {"pretrain: { lr = [1, 2]; };", "pretrain.lr: a number is expected, not a list or group"},
        {"cluster: { k = 1; };", "cluster.k = 1 is out of range: 2 to 65535 clusters"},
        {"cluster: { k = 5000000000; };", "cluster.k = 5000000000 is out of range"},
        {"run: {\n seed = -99999999999999999999; };",
            "a.cfg:2: -99999999999999999999: beyond 64 bits"},
        {"cluster: { outliers = 0.51; };", "cluster.outliers = 0.51 is out of range: 0 to 0.5"},
        {"pretrain: { lr = 1e999; };", "pretrain.lr = inf is out of range"},
        {"run: { seed = -1; };", "run.seed = -1 is out of range"},
        {"model: { norm = \"grup\"; };", "model.norm = \"grup\" is none of group|sync|frozen: did "
                                         "you mean \"group\"?"},
        {"model: { norm = \"group|sync\"; };", "is none of group|sync|frozen"},
        {"run: { until = \"pakc\"; };", "did you mean \"pack\"?"},
        {"run = 3;", "a.cfg:1: run: a group { ... } is expected"},
        {"run: { dir = \"a\"; dir = \"b\"; };", "a.cfg:1: duplicate setting name"},
        {"run: { dir = \"a\" ", "a.cfg:1: syntax error"},
        {"\n  @include \"b.cfg\"\n", "a.cfg:2: @include is not allowed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_with(cases[i].text, NULL, 0), STATUS_USAGE);
        if (!strstr(out.text, cases[i].message) || capture_lines(&out) != 1)
            fail_msg("%s\ngives\n%sinstead of one line with\n%s", cases[i].text, out.text,
                cases[i].message);
    }
}

/* Right each by itself. */
static void test_contradictions(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"pretrain: { batch = 6; };", "pretrain.batch = 6: its 12 views must be whole groups"},
        {"model: { group = 2; norm = \"frozen\"; }; finetune: { batch = 1; method = "
         "\"mean-teacher\"; };",
            "finetune.batch = 1: method \"mean-teacher\" shows images without labels"},
        {"finetune: { batch = 12; };", "finetune.batch = 12: must be whole groups"},
        {"model: { norm = \"sync\"; }; finetune: { batch = 1; };",
            "finetune.batch = 1 with model.norm = \"sync\": a norm would take statistics of one "
            "value"},
        {"model: { norm = \"sync\"; head = \"fcn\"; output_stride = 32; }; finetune: { batch = 1; "
         "crop = 32; };",
            "finetune.batch = 1 with model.norm = \"sync\": a norm would take"},
        {"model: { output_stride = 12; };", "model.output_stride = 12: must be 8, 16 or 32"},
        {"pretrain: { scale_min = 2.0; };", "pretrain.scale_min = 2 is above"},
        {"pretrain: { area_min = 0.9; area_max = 0.5; };", "pretrain.area_min = 0.9 is above"},
        {"finetune: { aspect_max = 0.5; };", "finetune.aspect_min = 0.75 is above"},
        {"finetune: { blur_min = 3.0; };", "finetune.blur_min = 3 is above"},
        {"finetune: { steps = 10; warmup = 11; };", "finetune.warmup = 11 is more than"},
        {"extract: { layers = \"layer5\"; };", "\"layer5\" is unknown"},
        {"model: { stages = 3; }; extract: { layers = \"layer3,layer4\"; };",
            "\"layer4\" is unknown"},
        {"extract: { layers = \"layer2,layer2\"; };", "\"layer2\" is named twice"},
        {"extract: { layers = \"head,\"; };", "\"\" is unknown"},
        {"evaluate: { scales = \"1,,2\"; };", "evaluate.scales"},
        {"evaluate: { scales = \"1 2\"; };", "evaluate.scales"},
        {"evaluate: { scales = \"0\"; };", "evaluate.scales"},
        {"evaluate: { scales = \"nan\"; };", "evaluate.scales"},
        {"cluster: { sample = 50; };", "cluster.sample = 50 is less than cluster.k = 100"},
        {"cluster: { method = \"dbscan\"; };", "cluster.eps = 0: method \"dbscan\" needs"},
        {"dataset: { root = \"\"; };", "dataset.root is empty"},
        {"run: { dir = \"\"; };", "run.dir is empty"},
        {"dataset: { classes = 12; ignore = 11; };", "dataset.ignore = 11 is the id of one"},
        {"dataset: { layout = \"pairs\"; classes = 3; };", "dataset.train is empty"},
        {"dataset: { held_out_for = \"validate\"; };",
            "dataset.held_out_for = \"validate\" needs images"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_with(cases[i].text, NULL, 0), STATUS_USAGE);
        if (!strstr(out.text, cases[i].message) || capture_lines(&out) != 1)
            fail_msg("%s\ngives\n%sinstead of one line with\n%s", cases[i].text, out.text,
                cases[i].message);
    }
}

static void test_mistakes_in_arguments(void **state) {
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"run.seed", "--set run.seed: group.key=value is expected"},
        {"seed=1", "group.key=value is expected"},
        {"", "group.key=value is expected"},
        {"run.sed=1", "unknown key run.sed: did you mean run.seed?"},
        {"run.seed=", "run.seed: an integer is expected"},
        {"run.seed=1x", "an integer is expected"},
        {"run.seed=99999999999999999999", "an integer is expected"},
        {"run.compare=yes", "run.compare: true or false is expected"},
        {"pretrain.lr=fast", "pretrain.lr: a number is expected"},
        {"pretrain.lr=nan", "pretrain.lr = nan is out of range"},
        {"model.dtype=f16", "model.dtype = \"f16\" is none of auto|bf16|f32"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_with(NULL, &cases[i].set, 1), STATUS_USAGE);
        if (!strstr(out.text, cases[i].message) || capture_lines(&out) != 1)
            fail_msg("%s\ngives\n%sinstead of one line with\n%s", cases[i].set, out.text,
                cases[i].message);
    }
}

static void test_all_mistakes_at_once(void **state) {
    static const char *const set[] = {"a.b=1", "run.rounds=0"};
    (void)state;
    assert_int_equal(read_with("run: { dirr = \"x\"; seed = \"y\"; };\nmodle: { };\n"
                               "pretrain: { batch = 5; };\n",
                         set, 2),
        STATUS_USAGE);
    assert_int_equal(capture_lines(&out), 6);
}

static void test_what_is_right(void **state) {
    static const char *const set[] = {
        "run.seed=7", "run.seed=8", "run.dir=\"quoted\"", "dataset.names=a=b", "finetune.lr=2"};
    (void)state;
    assert_int_equal(read_with("// comment\nrun = { seed = 3; compare = false; };\n"
                               "pretrain: { lr = 1; temperature = 5e-2; steps = 20L; };\n"
                               "/* @include */ # @include \"x\"\n",
                         set, 5),
        STATUS_OK);
    assert_int_equal(s.run.seed, 8); /* the last one counts */
    assert_false(s.run.compare);
    assert_string_equal(s.run.dir, "quoted");
    assert_string_equal(s.dataset.names, "a=b");
    assert_true(s.pretrain.lr == 1 && s.pretrain.temperature == 0.05 && s.finetune.lr == 2);
    assert_int_equal(s.pretrain.steps, 20);
    assert_int_equal(s.pretrain.batch, 8);
    /* Even without a file. */
    assert_int_equal(read_with(NULL, NULL, 0), STATUS_OK);
    assert_int_equal(capture_lines(&out), 0);
}

/* libconfig 1.5 would cut them to 32 bits. */
static void test_long_integers(void **state) {
    (void)state;
    assert_int_equal(read_with("run: { dir = \"5000000000 \\\" 6000000000\"; /* 7000000000 */\n"
                               "seed = 5000000000; threads = +7; max_hours = 1000.0; };",
                         NULL, 0),
        STATUS_OK);
    assert_string_equal(s.run.dir, "5000000000 \" 6000000000");
    assert_true(s.run.seed == 5000000000);
    assert_int_equal(s.run.threads, 7);
    assert_int_equal(read_with("run: { seed = 5000000000L; };", NULL, 0), STATUS_OK);
    assert_true(s.run.seed == 5000000000);
    assert_int_equal(read_with("run: { seed = 0x7B; };", NULL, 0), STATUS_OK);
    assert_int_equal(s.run.seed, 123);
}

/* Of the allocations that reading a file takes, each in turn: no memory is no mistake of the
 * user's. */
static void test_no_memory(void **state) {
    (void)state;
    for (int n = 1, counted = 0; n <= 3; n++) {
        char number[16];
        counted += n;
        snprintf(number, sizeof number, "%d", counted);
        setenv("AUXSEG_HOOK_MEMORY", number, 1);
        assert_int_equal(read_with("run: { seed = 1; };", NULL, 0), STATUS_FAILED);
    }
    unsetenv("AUXSEG_HOOK_MEMORY");
    assert_int_equal(read_with("run: { seed = 1; };", NULL, 0), STATUS_OK);
}

static void test_valid_part(void **state) {
    static const char *const set[] = {"run.seed=7", "run.rounds=0"};
    (void)state;
    capture_begin(&out, STDERR_FILENO);
    status understood;
    int mistakes = settings_read_valid(&s, NULL, set, 2, &understood);
    capture_end(&out);
    assert_int_equal(mistakes, 1);
    assert_int_equal(understood, STATUS_OK);
    assert_int_equal(s.run.seed, 7);
    assert_int_equal(s.run.rounds, 1);
}

static void test_no_file(void **state) {
    static const char *const path_of[] = {"absent.cfg", ".", "/dev/zero", "fifo", "zero"};
    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    FILE *f = fopen("zero", "w");
    assert_non_null(f);
    fwrite("run: {\0};", 1, 9, f);
    fclose(f);
    for (size_t i = 0; i < sizeof path_of / sizeof *path_of; i++) {
        capture_begin(&out, STDERR_FILENO);
        status st = settings_read(&s, path_of[i], NULL, 0);
        capture_end(&out);
        assert_int_equal(st, STATUS_USAGE);
        assert_int_equal(capture_lines(&out), 1);
        assert_non_null(strstr(out.text, path_of[i]));
    }
    remove("fifo");
    remove("zero");
}

static void test_long_text(void **state) {
    char set[2 * SETTINGS_TEXT] = "run.dir=";
    const char *argument = set;
    (void)state;
    memset(set + 8, 'x', SETTINGS_TEXT);
    assert_int_equal(read_with(NULL, &argument, 1), STATUS_USAGE);
    set[8 + SETTINGS_TEXT - 1] = '\0';
    assert_int_equal(read_with(NULL, &argument, 1), STATUS_OK);
    assert_int_equal(strlen(s.run.dir), SETTINGS_TEXT - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_in_a_file),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_mistakes_in_arguments),
        cmocka_unit_test(test_all_mistakes_at_once),
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_long_integers),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_valid_part),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
