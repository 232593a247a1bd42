/* Files of settings; what is right is printed and read again. */
#include "src/base/settings.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* libconfig does not free the text that it was in when a mistake ends the file: bytes, once a
 * process. The sanitizer asks for this by name. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static settings s, again;
    status understood;
    char *text = NULL;
    size_t bytes;
    if (settings_read_valid(&s, fuzz_file(data, size), NULL, 0, &understood) != 0) return 0;
    FILE *f = open_memstream(&text, &bytes);
    if (!f) return 0;
    settings_write(&s, f, false);
    fclose(f);
    /* What the program has written it understands, as the same. */
    if (settings_read(&again, fuzz_file(text, bytes), NULL, 0) != STATUS_OK) abort();
    if (settings_hash(&s, "run,dataset,model") != settings_hash(&again, "run,dataset,model"))
        abort();
    free(text);
    return 0;
}
