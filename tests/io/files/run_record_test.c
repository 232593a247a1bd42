#include "io/files/file.h"
#include "io/files/machine.h"
#include "io/files/run_record.h"
#include "src/base/memory.h"
#include "tests/io/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

static int setup(void **state) {
    static scratch s;
    scratch_create(&s);
    *state = &s;
    return 0;
}

static int teardown(void **state) {
    scratch_destroy(*state);
    return 0;
}

/* Saves r under its path and loads it again. */
static run_record *reload(run_record *r, const char *path) {
    assert_int_equal(run_record_save(r), STATUS_OK);
    run_record_close(r);
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    return r;
}

static void stages(void **state) {
    char path[256];
    strcpy(path, scratch_path(*state, "run.json"));
    phases spread = {0}, have;
    spread.phase[PHASE_FORWARD] = (phase_spread){1, 2.5, 4, 3};
    const stage_record cluster = {.name = "cluster",
        .key = UINT64_MAX - 1,
        .output = "labels.h5",
        .output_hash = 0x123456789abcdef0,
        .started = "2025-01-31T23:59:58Z",
        .seconds = 2.5,
        .place = {2, 6, 4, "n001,n002"},
        .phases = &spread,
        .peak_memory = 1536.5,
        .peak_rank = 5,
        .bytes_sent = 12345678,
        .fom = 77.125,
        .fom_unit = "Mpixel/s"};
    const stage_record score = {
        .name = "score", .key = 5, .within = "cluster", .peak_memory = NAN, .fom = NAN};
    run_record *r;
    uint64_t hash = 1;
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_false(run_record_stage_done(r, "cluster", cluster.key, &hash));
    assert_int_equal(run_record_set_stage(r, &cluster), STATUS_OK);
    assert_int_equal(run_record_set_stage(r, &score), STATUS_OK);
    r = reload(r, path);
    assert_false(run_record_stage_done(r, "cluster", cluster.key, &hash)); /* no labels.h5 */
    assert_int_equal(hash, 1);
    scratch_write(scratch_path(*state, "labels.h5"), "x", 1);
    assert_true(run_record_stage_done(r, "cluster", cluster.key, &hash));
    assert_true(hash == cluster.output_hash);
    assert_true(run_record_stage_done(r, "cluster", cluster.key, NULL));
    assert_false(run_record_stage_done(r, "cluster", cluster.key - 1, NULL));
    assert_false(run_record_stage_done(r, "cluster-2", cluster.key, NULL));
    assert_true(run_record_stage_done(r, "score", 5, NULL));

    stage_record s;
    assert_true(run_record_stage(r, 0, &s, &have));
    assert_string_equal(s.name, "cluster");
    assert_string_equal(s.output, "labels.h5");
    assert_string_equal(s.fom_unit, "Mpixel/s");
    assert_true(s.seconds == 2.5 && s.fom == 77.125 && s.key == cluster.key);
    assert_ptr_equal(s.phases, &have);
    assert_true(have.phase[PHASE_FORWARD].mean == 2.5 && have.phase[PHASE_FORWARD].slowest == 3);
    assert_true(have.phase[PHASE_READ].max == 0);
    assert_true(s.place.nodes == 2 && s.place.ranks == 6 && s.place.threads == 4);
    assert_string_equal(s.place.hosts, "n001,n002");
    assert_true(s.peak_memory == 1536.5 && s.peak_rank == 5);
    assert_true(s.bytes_sent == 12345678);
    assert_string_equal(s.started, "2025-01-31T23:59:58Z");
    assert_int_equal(strlen(s.finished), strlen(s.started));
    assert_null(s.within);
    assert_true(run_record_stage(r, 1, &s, &have));
    assert_string_equal(s.within, "cluster");
    assert_true(isnan(s.peak_memory));
    assert_null(s.started);
    assert_null(s.output);
    assert_null(s.phases);
    assert_true(isnan(s.fom));
    assert_false(run_record_stage(r, 2, &s, &have));

    const stage_record again = {.name = "cluster", .key = 6, .fom = NAN};
    assert_int_equal(run_record_set_stage(r, &again), STATUS_OK);
    assert_false(run_record_stage_done(r, "cluster", cluster.key, NULL));
    assert_true(run_record_stage_done(r, "cluster", 6, NULL));
    run_record_close(r);
}

/* A start that was killed, one that ended, and one more of the same command in the same second. */
static void starts(void **state) {
    char path[256];
    strcpy(path, scratch_path(*state, "starts.json"));
    start_record first = {.started = "2025-01-01T00:00:00Z",
        .command = "auxseg run 'a b.cfg'",
        .version = "1.2.3",
        .commit = "0123456789ab",
        .job = "4711",
        .place = {1, 4, 8, "n007"}};
    start_record second = first, s;
    second.started = "2025-01-02T00:00:00Z";
    second.commit = second.job = NULL;
    second.place.ranks = 2;
    run_record *r;
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_false(run_record_start(r, 0, &s));
    assert_int_equal(run_record_add_start(r, &first), STATUS_OK);
    assert_int_equal(run_record_add_start(r, &second), STATUS_OK);
    assert_int_equal(run_record_add_start(r, &second), STATUS_OK);
    r = reload(r, path);
    second.exit_code = 75;
    second.seconds = 12.5;
    second.peak_memory = 99;
    assert_int_equal(run_record_end_start(r, &second), STATUS_OK);
    second.exit_code = 0;
    assert_int_equal(run_record_end_start(r, &second), STATUS_OK);
    assert_int_equal(run_record_end_start(r, &second), STATUS_OK); /* there is no third */
    r = reload(r, path);
    assert_true(run_record_start(r, 0, &s));
    assert_string_equal(s.started, first.started);
    assert_string_equal(s.command, first.command);
    assert_string_equal(s.version, "1.2.3");
    assert_string_equal(s.commit, "0123456789ab");
    assert_string_equal(s.job, "4711");
    assert_string_equal(s.place.hosts, "n007");
    assert_true(s.place.nodes == 1 && s.place.ranks == 4 && s.place.threads == 8);
    assert_null(s.ended);
    assert_true(run_record_start(r, 1, &s));
    assert_true(s.ended && s.exit_code == 0 && s.place.ranks == 2);
    assert_true(!s.commit && !s.job);
    assert_true(run_record_start(r, 2, &s));
    assert_true(s.ended && s.exit_code == 75 && s.seconds == 12.5 && s.peak_memory == 99);
    assert_false(run_record_start(r, 3, &s));
    assert_false(run_record_start(r, -1, &s));
    /* The run began with the first start. */
    assert_string_equal(run_record_text(r, "started"), first.started);
    run_record_close(r);
}

/* As the first versions wrote it: without starts, and stages without places. */
static void records_of_older_versions_are_read(void **state) {
    static const char text[] =
        "{\"format\": 1, \"machine\": {}, \"settings\": {}, \"stages\": {\"pack\": {\"key\": "
        "\"0000000000000005\", \"output_hash\": \"0000000000000000\", \"seconds\": 2.0, "
        "\"fom\": null, \"finished\": \"2024-01-01T00:00:00Z\"}}, \"results\": {}, \"hashes\": "
        "{}, \"started\": \"2024-01-01T00:00:00Z\", \"ranks\": 3, \"threads\": 1}";
    char path[256];
    strcpy(path, scratch_path(*state, "older.json"));
    scratch_write(path, text, strlen(text));
    run_record *r;
    stage_record s;
    start_record start;
    const start_record now = {.started = "2025-01-01T00:00:00Z", .command = "auxseg run a.cfg"};
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_true(run_record_stage_done(r, "pack", 5, NULL));
    assert_true(run_record_stage(r, 0, &s, NULL));
    assert_true(s.seconds == 2 && s.place.ranks == 0 && !s.place.hosts && isnan(s.peak_memory));
    assert_false(run_record_start(r, 0, &start));
    assert_int_equal(run_record_add_start(r, &now), STATUS_OK);
    r = reload(r, path);
    assert_true(run_record_start(r, 0, &start));
    assert_string_equal(run_record_text(r, "started"), "2024-01-01T00:00:00Z");
    run_record_close(r);
}

static void results_and_hashes(void **state) {
    char path[256];
    strcpy(path, scratch_path(*state, "results.json"));
    const char *group, *name, *key, *text;
    double value;
    uint64_t hash;
    run_record *r;
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_int_equal(run_record_set_result(r, "baseline", "mIoU", 1.0 / 3), STATUS_OK);
    assert_int_equal(run_record_set_result(r, "score", "purity", 0.25), STATUS_OK);
    assert_int_equal(run_record_set_result(r, "baseline", "IoU of a \"sky\"", NAN), STATUS_OK);
    assert_int_equal(run_record_set_hash(r, "labels", UINT64_MAX), STATUS_OK);
    r = reload(r, path);
    assert_true(run_record_get_result(r, "baseline", "mIoU") == 1.0 / 3);
    assert_true(isnan(run_record_get_result(r, "baseline", "IoU of a \"sky\"")));
    assert_true(isnan(run_record_get_result(r, "baseline", "other")));
    assert_true(isnan(run_record_get_result(r, "other", "mIoU")));
    assert_true(run_record_result(r, 1, &group, &name, &value));
    assert_string_equal(group, "baseline");
    assert_string_equal(name, "IoU of a \"sky\"");
    assert_true(run_record_result(r, 2, &group, &name, &value));
    assert_string_equal(group, "score");
    assert_true(value == 0.25);
    assert_false(run_record_result(r, 3, &group, &name, &value));
    assert_true(run_record_get_hash(r, "labels", &hash));
    assert_true(hash == UINT64_MAX);
    assert_false(run_record_get_hash(r, "weights", &hash));
    assert_true(run_record_fact(r, "hashes", 0, &key, &text));
    assert_string_equal(text, "ffffffffffffffff");
    run_record_clear_group(r, "baseline");
    run_record_clear_group(r, "none");
    assert_true(run_record_result(r, 0, &group, &name, &value));
    assert_string_equal(group, "score");
    run_record_close(r);
}

static void environment(void **state) {
    char path[256];
    strcpy(path, scratch_path(*state, "environment.json"));
    const char *key, *text;
    settings s;
    run_record *r;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_int_equal(run_record_begin(r, &s, 3, 2), STATUS_OK);
    r = reload(r, path);
    assert_string_equal(run_record_text(r, "program"), "auxseg " AUXSEG_VERSION);
    assert_null(run_record_text(r, "started")); /* no start was recorded */
    assert_true(run_record_number(r, "ranks") == 3 && run_record_number(r, "threads") == 2);
    assert_true(isnan(run_record_number(r, "other")));
    assert_true(run_record_fact(r, "machine", 0, &key, &text));
    assert_string_equal(key, "auxseg");
    assert_true(run_record_fact(r, "settings", 0, &key, &text));
    assert_non_null(strchr(key, '.'));
    run_record_close(r);
    char fact[MACHINE_TEXT];
    int facts = 0;
    while (machine_fact(facts, &key, fact)) {
        print_message("%s: %s\n", key, fact);
        assert_true(strlen(fact) > 0);
        facts++;
    }
    assert_true(facts > 8);
}

/* In a record of a version that had none, too. */
static void arithmetic_is_kept(void **state) {
    static const char text[] = "{\"format\": 1, \"machine\": {}, \"settings\": {}, \"stages\": {}, "
                               "\"results\": {}, \"hashes\": {\"labels\": \"0000000000000005\"}}";
    char path[256];
    strcpy(path, scratch_path(*state, "arithmetic.json"));
    run_record *r;
    uint64_t hash;
    scratch_write(path, text, strlen(text));
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_true(run_record_get_hash(r, "labels", &hash));
    assert_null(run_record_get_arithmetic(r, "type"));
    assert_int_equal(run_record_set_arithmetic(r, "type", "bf16"), STATUS_OK);
    r = reload(r, path);
    assert_string_equal(run_record_get_arithmetic(r, "type"), "bf16");
    assert_null(run_record_get_arithmetic(r, "products"));
    run_record_close(r);
    assert_null(run_record_get_arithmetic(NULL, "type"));
}

static void damaged_records_are_set_aside(void **state) {
    static const char *const text[] = {"", "{", "[]", "{}", "{\"format\": 0}",
        "{\"format\": 1, \"machine\": {}, \"settings\": {}, \"starts\": {}, \"stages\": {}, "
        "\"results\": {}, \"hashes\": {}}",
        "{\"format\": 1, \"machine\": {}, \"settings\": {}, \"starts\": [1], \"stages\": {}, "
        "\"results\": {}, \"hashes\": {}}",
        "{\"format\": 1, \"machine\": {}, \"settings\": {}, \"stages\": {\"a\": 1}, \"results\": "
        "{}, \"hashes\": {}}"};
    char path[256];
    strcpy(path, scratch_path(*state, "damaged.json"));
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        stage_record s;
        run_record *r;
        scratch_write(path, text[i], strlen(text[i]));
        assert_int_equal(run_record_open(&r, path), STATUS_OK);
        assert_false(run_record_stage(r, 0, &s, NULL));
        assert_false(file_exists(path));
        assert_true(file_exists(scratch_path(*state, "damaged.json.damaged")));
        run_record_close(r);
    }
}

/* Whatever bit is another one, wherever the text ends: 100 % are found, and told by verify. */
static void every_damage_is_found(void **state) {
    char path[256], other[256], *text;
    const stage_record stage = {.name = "score", .key = 5, .fom = NAN, .peak_memory = NAN};
    size_t bytes;
    run_record *r;
    strcpy(path, scratch_path(*state, "flipped.json"));
    strcpy(other, scratch_path(*state, "flipped.json.damaged"));
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_int_equal(run_record_set_result(r, "baseline", "mIoU", 0.5), STATUS_OK);
    assert_int_equal(run_record_set_stage(r, &stage), STATUS_OK);
    assert_int_equal(run_record_save(r), STATUS_OK);
    run_record_close(r);
    assert_int_equal(run_record_verify(path), STATUS_OK);
    assert_int_equal(file_read(path, 1 << 20, (void **)&text, &bytes), STATUS_OK);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        scratch_write(path, text, bytes);
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(run_record_verify(path), STATUS_OUTPUT);
    }
    for (size_t end = 0; end < bytes; end++) {
        scratch_write(path, text, end);
        assert_int_equal(run_record_verify(path), STATUS_OUTPUT);
    }
    assert_false(file_exists(other)); /* to verify changes nothing */
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_false(run_record_stage_done(r, "score", 5, NULL));
    assert_true(file_exists(other));
    run_record_close(r);
    memory_free(text);
}

/* What cannot be read may be whole: it stays, and so does one that a later version has written. */
static void unreadable_records_stay(void **state) {
    static const char later[] = "{\"format\": 2, \"whatever\": {}}";
    char path[256];
    run_record *r;
    strcpy(path, scratch_path(*state, "folder.json"));
    assert_int_equal(file_make_folder(path), STATUS_OK);
    assert_int_equal(run_record_open(&r, path), STATUS_OUTPUT);
    assert_true(file_exists(path));
    strcpy(path, scratch_path(*state, "later.json"));
    scratch_write(path, later, strlen(later));
    assert_int_equal(run_record_open(&r, path), STATUS_OUTPUT);
    assert_true(file_exists(path));
    assert_false(file_exists(scratch_path(*state, "later.json.damaged")));
}

/* A stage keeps what it was made with, of the groups that count; the next start's are the run's. */
static void stages_keep_their_settings(void **state) {
    char path[256];
    const stage_record stage = {.name = "cluster", .key = 5, .fom = NAN, .peak_memory = NAN};
    const char *key, *text;
    const char *const set[] = {"cluster.k=7", "run.threads=2"};
    settings s;
    run_record *r;
    uint64_t hash;
    int seen = 0;
    strcpy(path, scratch_path(*state, "kept.json"));
    assert_int_equal(settings_read(&s, NULL, set, 2), STATUS_OK);
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_int_equal(run_record_set_stage(r, &stage), STATUS_OK);
    assert_int_equal(run_record_set_stage_settings(r, "cluster", &s, "run,cluster"), STATUS_OK);
    assert_int_equal(run_record_set_file(r, "a.safetensors", 77), STATUS_OK);
    r = reload(r, path);
    for (int i = 0; run_record_stage_setting(r, "cluster", i, &key, &text); i++) {
        assert_true(strncmp(key, "cluster.", 8) == 0 || strcmp(key, "run.seed") == 0);
        if (strcmp(key, "cluster.k") == 0) assert_string_equal(text, "7");
        seen++;
    }
    assert_true(seen > 5);
    assert_false(run_record_stage_setting(r, "score", 0, &key, &text));
    assert_true(run_record_get_file(r, "a.safetensors", &hash) && hash == 77);
    assert_false(run_record_get_file(r, "b.safetensors", &hash));
    run_record_forget_stage(r, "cluster");
    assert_false(run_record_stage_done(r, "cluster", 5, NULL));
    run_record_close(r);
}

static void nothing_is_known_without_a_record(void **state) {
    (void)state;
    const stage_record s = {.name = "a"};
    start_record start = {.started = "a", .command = "b"};
    uint64_t hash;
    run_record_close(NULL);
    assert_int_equal(run_record_add_start(NULL, &start), STATUS_OK);
    assert_int_equal(run_record_end_start(NULL, &start), STATUS_OK);
    assert_false(run_record_start(NULL, 0, &start));
    assert_int_equal(run_record_save(NULL), STATUS_OK);
    assert_int_equal(run_record_set_stage(NULL, &s), STATUS_OK);
    assert_int_equal(run_record_set_result(NULL, "a", "b", 1), STATUS_OK);
    assert_int_equal(run_record_set_hash(NULL, "a", 1), STATUS_OK);
    run_record_clear_group(NULL, "a");
    assert_false(run_record_stage_done(NULL, "a", 0, &hash));
    assert_true(isnan(run_record_get_result(NULL, "a", "b")));
    assert_false(run_record_get_hash(NULL, "a", &hash));
}

/* A lack of memory is no fault of the file. */
static void memory_is_told_from_damage(void **state) {
    char path[256];
    run_record *r = NULL;
    strcpy(path, scratch_path(*state, "memory.json"));
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_int_equal(run_record_save(r), STATUS_OK);
    run_record_close(r);
    setenv("AUXSEG_HOOK_MEMORY", "1", 1);
    status st = run_record_open(&r, path);
    unsetenv("AUXSEG_HOOK_MEMORY");
    assert_int_equal(st, STATUS_FAILED);
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    run_record_close(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages),
        cmocka_unit_test(starts),
        cmocka_unit_test(records_of_older_versions_are_read),
        cmocka_unit_test(results_and_hashes),
        cmocka_unit_test(environment),
        cmocka_unit_test(arithmetic_is_kept),
        cmocka_unit_test(damaged_records_are_set_aside),
        cmocka_unit_test(every_damage_is_found),
        cmocka_unit_test(unreadable_records_stay),
        cmocka_unit_test(memory_is_told_from_damage),
        cmocka_unit_test(stages_keep_their_settings),
        cmocka_unit_test(nothing_is_known_without_a_record),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
