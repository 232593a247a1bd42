/* The table of settings: defaults, printing, hashes; the configurations that come with the program.
 */
#include "src/base/settings.h"
#include "src/base/settings_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define CONFIGS AUXSEG_TESTS "/../configs/"

static settings a, b;

/* settings_write's text, freed by the caller. */
static char *written(const settings *s, bool manual) {
    char *text;
    size_t bytes;
    FILE *f = open_memstream(&text, &bytes);
    assert_non_null(f);
    settings_write(s, f, manual);
    fclose(f);
    return text;
}

static char *file_text(const char *path) {
    char *text = NULL;
    size_t room = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(getdelim(&text, &room, '\0', f) > 0);
    fclose(f);
    return text;
}

static void read_text(settings *out, const char *text) {
    char path[] = "/tmp/auxseg-settings-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    status st = settings_read(out, path, NULL, 0);
    remove(path);
    assert_int_equal(st, STATUS_OK);
}

/* Every default passes its own check, has help, and is a choice where there are choices. */
static void test_table(void **state) {
    const setting *e;
    char text[SETTINGS_TEXT], last[64] = "";
    (void)state;
    assert_int_equal(settings_read(&a, NULL, NULL, 0), STATUS_OK);
    for (int i = 0; (e = setting_at(i)); i++) {
        assert_true(strlen(e->help) > 5 && e->help[strlen(e->help) - 1] == '.');
        assert_true(setting_group_help(e->group)[0]);
        assert_true(e->offset < sizeof(settings));
        assert_true(e->words || (e->number >= e->min && e->number <= e->max));
        setting_print(e, &a, text, sizeof text);
        for (int j = 0; j < i; j++)
            assert_false(strcmp(setting_at(j)->group, e->group) == 0 &&
                         strcmp(setting_at(j)->key, e->key) == 0);
        if (strcmp(last, e->group) != 0) { /* groups are contiguous */
            for (int j = 0; j + 1 < i; j++) assert_string_not_equal(setting_at(j)->group, e->group);
            strcpy(last, e->group);
        }
    }
    assert_null(setting_at(-1));
}

/* The table covers the struct: no byte of a value is left that no setting writes. */
static void test_table_covers_the_struct(void **state) {
    static const size_t size[] = {[SETTING_FLAG] = sizeof(bool),
        [SETTING_INTEGER] = sizeof(int),
        [SETTING_LONG] = sizeof(int64_t),
        [SETTING_REAL] = sizeof(double),
        [SETTING_WORDS] = SETTINGS_TEXT,
        [SETTING_CHOICE] = sizeof(dtype)};
    static unsigned char covered[sizeof(settings)];
    const setting *e;
    size_t holes = 0;
    (void)state;
    for (int i = 0; (e = setting_at(i)); i++)
        for (size_t j = 0; j < size[e->kind]; j++) covered[e->offset + j]++;
    for (size_t i = 0; i < sizeof covered; i++) {
        assert_true(covered[i] <= 1);
        /* Padding is shorter than the widest alignment. */
        holes = covered[i] ? 0 : holes + 1;
        assert_true(holes < sizeof(double));
    }
}

static void test_written_is_read_back(void **state) {
    static const char *const set[] = {"run.dir=a \"b\" \\c\td", "run.seed=9007199254740991",
        "pretrain.temperature=0.07", "pretrain.weight_decay=1e-07",
        "pretrain.lr=0.1234567890123456789", "model.norm=sync", "run.compare=false",
        "evaluate.predictions=-1"};
    (void)state;
    assert_int_equal(settings_read(&a, NULL, set, (int)(sizeof set / sizeof *set)), STATUS_OK);
    assert_string_equal(a.run.dir, "a \"b\" \\c\td");
    for (int manual = 0; manual <= 1; manual++) {
        char *text = written(&a, manual);
        read_text(&b, text);
        assert_memory_equal(&a, &b, sizeof a);
        free(text);
    }
}

/* Short, and a configuration of its own. */
static void test_changes(void **state) {
    static const char *const set[] = {"run.dir=a \"b\"", "dataset.synth_train=7", "model.norm=sync",
        "pretrain.lr=0.5", "pretrain.steps=12345", "pretrain.batch=16", "pretrain.optimizer=lars",
        "pretrain.schedule=polynomial", "pretrain.crop_by=area", "run.verbose=true"};
    char *text = NULL;
    size_t bytes = 0;
    (void)state;
    for (int sets = 0; sets <= 10; sets += 10) {
        FILE *f = open_memstream(&text, &bytes);
        assert_non_null(f);
        assert_int_equal(settings_read(&a, NULL, set, sets), STATUS_OK);
        assert_int_equal(settings_write_changes(&a, f), STATUS_OK);
        fclose(f);
        read_text(&b, text);
        assert_memory_equal(&a, &b, sizeof a);
        if (sets == 0)
            assert_string_equal(text, "");
        else
            assert_non_null(strstr(text, "dataset: { synth_train = 7; };\n"
                                         "model: { norm = \"sync\"; };\n"
                                         "pretrain: { optimizer = \"lars\";"));
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 83);
        free(text);
    }
}

static void test_manual_is_default_cfg(void **state) {
    (void)state;
    assert_int_equal(settings_read(&a, NULL, NULL, 0), STATUS_OK);
    char *manual = written(&a, true), *file = file_text(CONFIGS "default.cfg");
    if (strcmp(manual, file) != 0)
        fail_msg(
            "configs/default.cfg is out of date: auxseg check --defaults >configs/default.cfg");
    for (const char *line = manual; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        assert_true(strcspn(line, "\n") <= 100);
    }
    free(manual);
    free(file);
}

static void test_configurations(void **state) {
    (void)state;
    assert_int_equal(settings_read(&a, CONFIGS "demo.cfg", NULL, 0), STATUS_OK);
    assert_int_equal(a.dataset.layout, DATASET_LAYOUT_SYNTH);
    assert_int_equal(settings_read(&a, CONFIGS "camvid.cfg", NULL, 0), STATUS_OK);
    assert_int_equal(a.extract.source, EXTRACT_SOURCE_WEIGHTS);
    assert_int_equal(settings_read(&a, CONFIGS "camvid-finetuned.cfg", NULL, 0), STATUS_OK);
    assert_int_equal(a.extract.source, EXTRACT_SOURCE_FINETUNED);
    assert_int_equal(a.dataset.classes, 11);
}

static uint64_t hash_with(const char *set, const char *groups) {
    assert_int_equal(settings_read(&a, NULL, &set, 1), STATUS_OK);
    return settings_hash(&a, groups);
}

/* Looks change nothing where nobody chooses by them. */
static void test_hash_of_looks(void **state) {
    const char *with[] = {"finetune.validate=10", "finetune.keep=best"};
    (void)state;
    uint64_t plain = hash_with("finetune.validate=0", "finetune");
    assert_true(hash_with("finetune.validate=10", "finetune") == plain);
    assert_int_equal(settings_read(&a, NULL, with, 2), STATUS_OK);
    uint64_t best = settings_hash(&a, "finetune");
    assert_true(best != plain);
    with[0] = "finetune.validate=20";
    assert_int_equal(settings_read(&a, NULL, with, 2), STATUS_OK);
    assert_true(settings_hash(&a, "finetune") != best);
    with[1] = "finetune.patience=1";
    assert_int_equal(settings_read(&a, NULL, with, 2), STATUS_OK);
    uint64_t short_one = settings_hash(&a, "finetune");
    with[0] = "finetune.validate=10";
    assert_int_equal(settings_read(&a, NULL, with, 2), STATUS_OK);
    assert_true(settings_hash(&a, "finetune") != short_one);
}

static void test_hash(void **state) {
    (void)state;
    assert_int_equal(settings_read(&a, NULL, NULL, 0), STATUS_OK);
    uint64_t run = settings_hash(&a, "run"), model = settings_hash(&a, "model,pretrain");
    assert_true(run != model);
    /* What cannot change a result. */
    assert_true(hash_with("run.dir=elsewhere", "run") == run);
    assert_true(hash_with("run.threads=3", "run") == run);
    assert_true(hash_with("run.until=pack", "run") == run);
    assert_true(hash_with("run.max_hours=1", "run") == run);
    assert_true(hash_with("run.verbose=true", "run") == run);
    assert_true(hash_with("model.weights=other/place", "model,pretrain") == model);
    assert_true(hash_with("model.wave=4", "model,pretrain") == model);
    /* What can, in a group that counts and in one that does not. */
    assert_true(hash_with("run.seed=2", "run") != run);
    assert_true(hash_with("pretrain.lr=0.02", "model,pretrain") != model);
    assert_true(hash_with("model.stages=3", "model,pretrain") != model);
    assert_true(hash_with("cluster.k=7", "model,pretrain") == model);
    /* One that came later: only where it says something else than what was always done. */
    uint64_t data = hash_with("dataset.scale=1", "dataset");
    assert_true(hash_with("dataset.label_orientation=auto", "dataset") == data);
    assert_true(hash_with("dataset.label_orientation=stored", "dataset") != data);
}

/* A run of an earlier version goes on: the keys of its stages hash the settings' text. Where a new
 * setting that can change a result makes these hashes others, every stage of such runs is done
 * anew. */
static void test_hashes_of_earlier_versions(void **state) {
    static const struct {
        const char *groups, *set;
        uint64_t hash;
    } known[] = {
        {"run", NULL, 0x52e39fbb49232fc2},
        {"dataset", NULL, 0x70a8426d4f4d88cb},
        {"model", NULL, 0x6354677d3e3e5dda},
        {"extract", NULL, 0x2f43e8cd3a1e0dcd},
        {"cluster", NULL, 0x5664b2bd5d6b53e9},
        {"pretrain", NULL, 0x3369a61ff48e9855},
        {"finetune", NULL, 0x551b622d90988557},
        {"evaluate", NULL, 0x951e4d2abfc386a5},
        {"dataset", "dataset.layout=camvid", 0x415a41af99c1f448},
        {"dataset", "dataset.on_bad_image=skip", 0x08ce4bd5c170ade5},
        {"model", "model.backbone=resnet152", 0xb162593e24a8813c},
        {"model", "model.norm=frozen", 0x65e89ab5120b8f1c},
        {"model", "model.dtype=bf16", 0xa4a6b716fd136ba4},
        {"model", "model.winograd=off", 0x3c70130cb923fcd4},
        {"extract", "extract.dtype=bf16", 0x2ac47ba67dfe618b},
        {"cluster", "cluster.method=minibatch", 0x3bfa873bf8952d19},
        {"cluster", "cluster.init=parallel", 0xc89ca809fcd02cf4},
        {"pretrain", "pretrain.positives=both", 0x9597cb7a2d6cadbc},
        {"pretrain", "pretrain.schedule=constant", 0xd737faa6cbe91fc7},
        {"pretrain", "pretrain.optimizer=adamw", 0x6c7925ce0d47bcff},
        {"pretrain", "pretrain.crop_by=area", 0xef926e94af87fcb4},
        {"finetune", "finetune.schedule=cosine", 0x000b60b0940e8875},
        {"finetune", "finetune.colours=luminance", 0x7d7856ebae5ebd03},
        {"evaluate", "evaluate.split=test", 0x7216c288fc66bd2c},
        {"pretrain", "pretrain.temperature=0.07", 0x74f99eec26fa6cc2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(settings_read(&a, NULL, &known[i].set, known[i].set ? 1 : 0), STATUS_OK);
        uint64_t hash = settings_hash(&a, known[i].groups);
        if (hash != known[i].hash)
            fail_msg("%s with %s: hash 0x%016llx", known[i].groups,
                known[i].set ? known[i].set : "defaults", (unsigned long long)hash);
    }
}

/* Each word of each choice is understood and is what is written; what a help text explains, as
 * "word: ..." at the start of a sentence or after a semicolon, is a word of the choice. */
static void test_choices(void **state) {
    const setting *e;
    int choices = 0, words = 0;
    (void)state;
    for (int i = 0; (e = setting_at(i)); i++) {
        if (!e->words) continue;
        choices++;
        for (int k = 0; e->words[k]; k++, words++) {
            char argument[128], text[SETTINGS_TEXT];
            /* Not always: layout "folder" has none. */
            bool held = strcmp(e->key, "held_out_for") == 0;
            const char *set[] = {argument, "cluster.eps=1", "dataset.train=t", "dataset.classes=2",
                "extract.weights=w", "extract.files=f", "finetune.validate=1",
                held ? "dataset.held_out=2" : "dataset.held_out=0"};
            snprintf(argument, sizeof argument, "%s.%s=%s", e->group, e->key, e->words[k]);
            assert_int_equal(settings_read(&a, NULL, set, 8), STATUS_OK);
            if (e->kind == SETTING_CHOICE) assert_int_equal(*(int *)setting_value(e, &a), k);
            setting_print(e, &a, text, sizeof text);
            assert_string_equal(text, e->words[k]);
        }
        for (const char *colon = e->help; (colon = strchr(colon, ':')); colon++) {
            char word[32] = "";
            const char *from = colon;
            while (from > e->help && from[-1] != ' ') from--;
            snprintf(word, sizeof word, "%.*s", (int)(colon - from), from);
            if (from > e->help && !strchr(".;", from[-2])) continue;
            if (strcmp(word, "empty") != 0 && choice_find(e->words, word) < 0)
                fail_msg("%s.%s: the help explains \"%s\"", e->group, e->key, word);
        }
    }
    assert_true(choices > 25);
    assert_true(words > 60);
}

static void test_items(void **state) {
    char key[64], text[SETTINGS_TEXT];
    int items = 0;
    bool found = false;
    (void)state;
    assert_int_equal(settings_read(&a, NULL, NULL, 0), STATUS_OK);
    while (settings_item(&a, items, key, sizeof key, text, sizeof text)) {
        if (strcmp(key, "pretrain.temperature") == 0) {
            assert_string_equal(text, "0.1");
            found = true;
        }
        items++;
    }
    assert_true(found);
    assert_true(items > 80);
    assert_false(settings_item(&a, -1, key, sizeof key, text, sizeof text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_covers_the_struct),
        cmocka_unit_test(test_written_is_read_back),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_manual_is_default_cfg),
        cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_hash_of_looks),
        cmocka_unit_test(test_hashes_of_earlier_versions),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
