/* run.json: read, and everything in it asked for as the report does. */
#include "io/files/run_record.h"

#include "tests/fuzz/fuzz.h"

static void ask(const run_record *r) {
    static const char *const section[] = {"machine", "settings", "hashes"};
    const char *a, *b;
    double value;
    stage_record stage;
    start_record start;
    phases spread;
    uint64_t hash;
    for (int i = 0; run_record_stage(r, i, &stage, &spread); i++)
        run_record_stage_done(r, stage.name, stage.key, &hash);
    for (int i = 0; run_record_start(r, i, &start); i++) {
    }
    for (int i = 0; run_record_result(r, i, &a, &b, &value); i++) run_record_get_result(r, a, b);
    for (size_t s = 0; s < sizeof section / sizeof *section; s++)
        for (int i = 0; run_record_fact(r, section[s], i, &a, &b); i++)
            run_record_get_hash(r, a, &hash);
    run_record_text(r, "program");
    run_record_number(r, "ranks");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    run_record *r = NULL;
    if (run_record_open(&r, fuzz_file(data, size)) == STATUS_OK) ask(r);
    run_record_close(r);
    return 0;
}
