/* Finds the object and the storages in a file of torch.save: libzip reads the archive, the older
 * format is a row of pickles. In both the pickled object names its storages and says how long they
 * are, and the container says so once more: the two must agree. A storage's length is compared with
 * the archive's or the file's before any memory is asked for. The order of work: the container is
 * opened and its object read; the object's storages are listed; then each gets its place, an entry
 * or an offset, from which torch_source_read takes it on demand. The pickles' texts point into
 * `head`, which stays as long as the source. */
#include "io/weights/torch_source.h"

#include "io/files/file.h"
#include "io/weights/safetensors.h"
#include "io/weights/torch_names.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

enum { ENTRY = 512 /* longest name in an archive */, LONGEST_ROOT = 380, HEAD = 4 * PICKLE_LIMIT };

struct torch_source {
    pickle_rules rules;
    const char *path; /* borrowed */
    uint64_t bytes;
    void *head; /* what the pickles point into */
    pickle *object;
    zip_t *zip; /* NULL: legacy */
    char root[ENTRY];
    int fd;
    torch_storage *storage; /* [storages] by key */
    uint32_t storages;
};

static const unsigned char zip_start[] = {'P', 'K', 3, 4};
/* PROTO 2, LONG1 of ten bytes, the first of the magic number 0x1950a86a20f9469cfc6c. The rest of it
 * is not looked at. */
static const unsigned char legacy_start[] = {0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46};

bool torch_source_is(const unsigned char first[8]) {
    return memcmp(first, zip_start, sizeof zip_start) == 0 ||
           memcmp(first, legacy_start, sizeof legacy_start) == 0;
}

static status refuse(const torch_source *s, const char *why) {
    log_error("%s: %s", s->path, why);
    return STATUS_DATA;
}

/* ---- zip ---- */

/* An entry that is stored as it is, no longer than the file. torch.save never deflates; to inflate
 * what a stranger has packed would let a small file ask for any amount of memory. */
static status zip_entry(torch_source *s, const char *name, zip_stat_t *found) {
    if (zip_stat(s->zip, name, 0, found) != 0) {
        log_error("%s: no entry %s in the archive", s->path, name);
        return STATUS_DATA;
    }
    zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
                          ZIP_STAT_ENCRYPTION_METHOD | ZIP_STAT_INDEX;
    if ((found->valid & needed) != needed || found->comp_method != ZIP_CM_STORE ||
        found->encryption_method != ZIP_EM_NONE || found->comp_size != found->size ||
        found->size > s->bytes) {
        log_error("%s: entry %s is compressed, encrypted or longer than the file: refused", s->path,
            name);
        return STATUS_DATA;
    }
    return STATUS_OK;
}

/* All of an entry, owned by the caller, and a zero byte behind it, for entries that are texts.
 * libzip compares the CRC at its end. */
static status zip_read(torch_source *s, const zip_stat_t *e, void **data) {
    char *all = memory_alloc((size_t)e->size + 1, 1, s->path);
    if (!all) return STATUS_FAILED;
    zip_file_t *f = zip_fopen_index(s->zip, e->index, 0);
    zip_uint64_t at = 0;
    while (f && at < e->size) {
        zip_int64_t n = zip_fread(f, all + at, e->size - at);
        if (n <= 0) break;
        at += (zip_uint64_t)n;
    }
    /* One read beyond the end, else the checksum is not looked at. */
    char beyond;
    bool ok = f && at == e->size && zip_fread(f, &beyond, 1) == 0;
    if (f && zip_fclose(f) != 0) ok = false;
    if (ok) {
        *data = all;
        return STATUS_OK;
    }
    memory_free(all);
    log_error("%s: entry %s cannot be read: damaged", s->path, e->name);
    return STATUS_DATA;
}

/* The archive's folder: that of the one NAME/data.pkl. Which name it is, is the writer's choice
 * (mostly the file's name as it was then), so that it is looked for. Two objects would leave open
 * which one is meant. All other names in the archive begin with it. */
static status zip_find_root(torch_source *s) {
    static const char object[] = "/data.pkl";
    zip_int64_t entries = zip_get_num_entries(s->zip, 0);
    int found = 0;
    for (zip_int64_t i = 0; i < entries; i++) {
        const char *name = zip_get_name(s->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        const char *slash = name ? strchr(name, '/') : NULL;
        if (!slash || strcmp(slash, object) != 0) continue;
        if (slash - name > LONGEST_ROOT) return refuse(s, "a name in the archive is too long");
        snprintf(s->root, sizeof s->root, "%.*s", (int)(slash - name), name);
        found++;
    }
    if (found == 1) return STATUS_OK;
    return refuse(s, found ? "several objects (data.pkl) in one archive"
                           : "a zip archive, but not torch.save's: it has no data.pkl");
}

/* Elements are copied as they are: a file of a big-endian machine would give other numbers. */
static status zip_check_order(torch_source *s) {
    char name[ENTRY];
    void *text = NULL;
    zip_stat_t e;
    snprintf(name, sizeof name, "%.380s/byteorder", s->root);
    if (zip_name_locate(s->zip, name, 0) < 0) return STATUS_OK; /* before PyTorch 2.1 */
    status st = zip_entry(s, name, &e);
    if (st == STATUS_OK) st = zip_read(s, &e, &text);
    if (st == STATUS_OK && strcmp(text, "little") != 0)
        st = refuse(s, "its numbers are not little-endian: refused");
    memory_free(text);
    return st;
}

/* Opens the archive, whose directory libzip checks against the entries, and reads the object. On
 * failure torch_source_close frees what is there. */
static status zip_open_source(torch_source *s) {
    char name[ENTRY];
    zip_stat_t e;
    size_t used;
    int code = 0;
    s->zip = zip_open(s->path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (!s->zip) {
        zip_error_t why;
        zip_error_init_with_code(&why, code);
        log_error("%s: no archive that can be read: %s", s->path, zip_error_strerror(&why));
        zip_error_fini(&why);
        return code == ZIP_ER_MEMORY ? STATUS_FAILED : STATUS_DATA;
    }
    status st = zip_find_root(s);
    if (st == STATUS_OK) st = zip_check_order(s);
    snprintf(name, sizeof name, "%.380s/data.pkl", s->root);
    if (st == STATUS_OK) st = zip_entry(s, name, &e);
    if (st == STATUS_OK && e.size > PICKLE_LIMIT) st = refuse(s, "data.pkl is over 16 MiB");
    if (st == STATUS_OK) st = zip_read(s, &e, &s->head);
    return st == STATUS_OK ? pickle_read(&s->object, &s->rules, s->head, e.size, &used) : st;
}

/* Finds the entry of a storage. Its key is the file's text: it goes into a name within the archive
 * and nowhere else, never into a path of this machine. */
static status zip_place(torch_source *s, torch_storage *t) {
    char name[ENTRY];
    zip_stat_t e;
    if (t->length > 64 || memchr(t->key, '\0', t->length))
        return refuse(s, "a storage's key is too long");
    snprintf(name, sizeof name, "%.380s/data/%.*s", s->root, (int)t->length, t->key);
    status st = zip_entry(s, name, &e);
    if (st != STATUS_OK) return st;
    if (e.size != t->bytes) {
        log_error("%s: entry %s has %llu bytes, by the object they are %llu", s->path, name,
            (unsigned long long)e.size, (unsigned long long)t->bytes);
        return STATUS_DATA;
    }
    t->place = e.index;
    t->placed = true;
    return STATUS_OK;
}

/* All of them at once and before any is read: a file that lacks one is refused before memory is
 * taken. */
static status zip_place_all(torch_source *s) {
    status st = STATUS_OK;
    for (uint32_t i = 0; i < s->storages && st == STATUS_OK; i++) st = zip_place(s, &s->storage[i]);
    return st;
}

/* ---- legacy ---- */

/* The pickle at *at of the head [size]; moves *at behind it. */
static status next_pickle(torch_source *s, pickle **out, size_t size, size_t *at) {
    size_t used;
    status st = pickle_read(out, &s->rules, (const char *)s->head + *at, size - *at, &used);
    if (st == STATUS_OK) *at += used;
    return st;
}

static bool text_is(const pickle_value *v, const char *word) {
    return v->kind == PICKLE_TEXT && v->count == strlen(word) &&
           memcmp(v->text, word, v->count) == 0;
}

/* The version, and the system's dictionary, which says in which order bytes stand. 1001 is the one
 * number that torch.save has written there. */
static status check_version(torch_source *s, const pickle *version, const pickle *system) {
    const pickle_value *v = pickle_get(version, pickle_root(version));
    const pickle_value *d = pickle_get(system, pickle_root(system));
    if (v->kind != PICKLE_INTEGER || v->integer != 1001)
        return refuse(s, "a version of torch.save other than 1001: refused");
    for (uint32_t i = 0; d->kind == PICKLE_DICT && i + 1 < d->count; i += 2) {
        const pickle_value *key = pickle_get(system, d->item[i]);
        const pickle_value *value = pickle_get(system, d->item[i + 1]);
        if (text_is(key, "little_endian"))
            return value->kind == PICKLE_BOOL && value->integer
                       ? STATUS_OK
                       : refuse(s, "its numbers are not little-endian: refused");
    }
    return refuse(s, "it does not say whether its numbers are little-endian");
}

/* Magic number, version, system, object, in this order; *at is then where the list of keys begins.
 * Only the object is kept: it is what storages and tensors are described in. */
static status read_pickles(torch_source *s, size_t size, size_t *at) {
    pickle *magic = NULL, *version = NULL, *system = NULL;
    status st = next_pickle(s, &magic, size, at);
    if (st == STATUS_OK) st = next_pickle(s, &version, size, at);
    if (st == STATUS_OK) st = next_pickle(s, &system, size, at);
    if (st == STATUS_OK) st = check_version(s, version, system);
    if (st == STATUS_OK) st = next_pickle(s, &s->object, size, at);
    pickle_free(magic);
    pickle_free(version);
    pickle_free(system);
    return st;
}

/* Where the pickles end is known once they are read, so that the head is read as far as they may
 * reach; whatever of the storages is in it is read again in its place. */
static status legacy_open(torch_source *s, size_t *size, size_t *at) {
    *size = s->bytes < HEAD ? (size_t)s->bytes : HEAD;
    *at = 0;
    s->head = memory_alloc(*size, 1, s->path);
    if (!s->head) return STATUS_FAILED;
    status st = file_read_at(s->fd, s->path, 0, s->head, *size);
    return st == STATUS_OK ? read_pickles(s, *size, at) : st;
}

/* Keys are no C texts: the length first, then the bytes. */
static int by_key(const void *pa, const void *pb) {
    const torch_storage *a = pa, *b = pb;
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    return memcmp(a->key, b->key, a->length);
}

/* The storage of a key, once they are sorted; NULL where the key is no text or none of the
 * object's. */
static torch_storage *find(const torch_source *s, const pickle_value *key) {
    torch_storage wanted = {.key = key->text, .length = key->count};
    if (key->kind != PICKLE_TEXT || s->storages == 0) return NULL;
    return bsearch(&wanted, s->storage, s->storages, sizeof *s->storage, by_key);
}

/* A storage's elements at *at: their number, then themselves. Each is skipped by the length that
 * the object says, which the number must confirm: a wrong one would shift all that follow. */
static status legacy_place(torch_source *s, torch_storage *t, uint64_t *at) {
    int64_t count;
    size_t size = t->type ? safetensors_type_size(t->type) : 1;
    if (t->placed) return refuse(s, "a storage stands twice in the list");
    if (s->bytes - *at < sizeof count) return refuse(s, "it ends before a storage");
    status st = file_read_at(s->fd, s->path, *at, &count, sizeof count);
    if (st != STATUS_OK) return st;
    *at += sizeof count;
    if (count < 0 || (uint64_t)count != t->bytes / size || t->bytes > s->bytes - *at)
        return refuse(s, "a storage is not as long as the object says, or longer than the file");
    t->place = *at;
    t->placed = true;
    *at += t->bytes;
    return STATUS_OK;
}

/* The list of keys, in whose order the storages stand. Nothing else tells where one begins, so that
 * every storage of the list must be known, and all that the object has must be in the list. */
static status legacy_place_all(torch_source *s, size_t size, size_t at) {
    pickle *keys = NULL;
    status st = next_pickle(s, &keys, size, &at);
    if (st != STATUS_OK) return st;
    const pickle_value *list = pickle_get(keys, pickle_root(keys));
    uint64_t place = at;
    if (list->kind != PICKLE_LIST) st = refuse(s, "the list of storages is none");
    for (uint32_t i = 0; st == STATUS_OK && i < list->count; i++) {
        torch_storage *t = find(s, pickle_get(keys, list->item[i]));
        st = t ? legacy_place(s, t, &place) : refuse(s, "a storage that no tensor has");
    }
    for (uint32_t i = 0; st == STATUS_OK && i < s->storages; i++)
        if (!s->storage[i].placed) st = refuse(s, "a tensor's storage is not in the list");
    pickle_free(keys);
    return st;
}

/* ---- both ---- */

/* ("storage", class, key, where it was, elements[, view]). Where it was (a device) does not matter:
 * its bytes are in the file all the same. False for any other form. Of a storage without type the
 * elements are bytes. */
static bool parse_storage(const pickle *p, const pickle_value *persistent, torch_storage *t) {
    const pickle_value *id = pickle_get(p, persistent->item[0]);
    if (id->kind != PICKLE_TUPLE || id->count < 5 || id->count > 6) return false;
    const pickle_value *name = pickle_get(p, id->item[1]), *key = pickle_get(p, id->item[2]);
    const pickle_value *count = pickle_get(p, id->item[4]);
    *t = (torch_storage){.key = key->text, .length = key->count, .type = torch_type_of(name)};
    bool untyped = name->kind == PICKLE_NAME && name->name->id == TORCH_STORAGE_UNTYPED;
    uint64_t size = t->type ? safetensors_type_size(t->type) : 1;
    return text_is(pickle_get(p, id->item[0]), "storage") && key->kind == PICKLE_TEXT &&
           (t->type || untyped) && count->kind == PICKLE_INTEGER && count->integer >= 0 &&
           !__builtin_mul_overflow((uint64_t)count->integer, size, &t->bytes);
}

/* All storages of the object, each once, sorted by key for `find`. The object names a storage once
 * for every tensor that lies in it, and each time with its length: they must say the same. */
static status list_storages(torch_source *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < pickle_values(s->object); i++)
        n += pickle_get(s->object, i)->kind == PICKLE_PERSISTENT;
    s->storage = memory_alloc(n, sizeof *s->storage, "table of storages");
    if (!s->storage) return STATUS_FAILED;
    n = 0;
    for (uint32_t i = 0; i < pickle_values(s->object); i++) {
        const pickle_value *v = pickle_get(s->object, i);
        if (v->kind != PICKLE_PERSISTENT) continue;
        if (!parse_storage(s->object, v, &s->storage[n++]))
            return refuse(s, "a storage that is described in another way than torch.save's");
    }
    /* Sorted in place, and then each key's first one moved to the front: what is behind is not
     * used. */
    qsort(s->storage, n, sizeof *s->storage, by_key);
    for (uint32_t i = 0; i < n; i++) {
        const torch_storage *t = &s->storage[i];
        torch_storage *last = s->storages ? &s->storage[s->storages - 1] : NULL;
        if (!last || by_key(last, t) != 0)
            s->storage[s->storages++] = *t;
        else if (last->type != t->type || last->bytes != t->bytes)
            return refuse(s, "a storage has two types or lengths");
    }
    return STATUS_OK;
}

/* Whichever step fails has written its message, and closing takes what is there: all that was not
 * reached is zero or -1. The file stays open under `fd` for an archive, too, which libzip opens by
 * itself. */
status torch_source_open(torch_source **out, const char *path) {
    unsigned char first[8] = {0};
    size_t size = 0, at = 0;
    torch_source *s = memory_alloc(1, sizeof *s, "PyTorch file");
    if (!s) return STATUS_FAILED;
    *s = (torch_source){.rules = torch_rules(path), .path = path, .fd = -1};
    status st = file_open(path, &s->fd, &s->bytes);
    if (st == STATUS_OK && s->bytes >= sizeof first)
        st = file_read_at(s->fd, path, 0, first, sizeof first);
    if (st == STATUS_OK && !torch_source_is(first)) st = refuse(s, "no file of torch.save");
    bool zip = memcmp(first, zip_start, sizeof zip_start) == 0;
    if (st == STATUS_OK) st = zip ? zip_open_source(s) : legacy_open(s, &size, &at);
    if (st == STATUS_OK) st = list_storages(s);
    if (st == STATUS_OK) st = zip ? zip_place_all(s) : legacy_place_all(s, size, at);
    if (st == STATUS_OK)
        *out = s;
    else
        torch_source_close(s);
    return st;
}

void torch_source_close(torch_source *s) {
    if (!s) return;
    if (s->zip) zip_discard(s->zip);
    if (s->fd >= 0) close(s->fd);
    pickle_free(s->object);
    memory_free(s->storage);
    memory_free(s->head);
    memory_free(s);
}

const pickle *torch_source_object(const torch_source *s) {
    return s->object;
}

bool torch_source_is_archive(const torch_source *s) {
    return s->zip != NULL;
}

uint64_t torch_source_bytes(const torch_source *s) {
    return s->bytes;
}

/* The sixth element of an id, a view of a storage, is of the older format alone; where it begins is
 * counted in elements of the storage. */
const torch_storage *torch_source_storage(
    const torch_source *s, const pickle_value *persistent, uint64_t *first) {
    if (persistent->kind != PICKLE_PERSISTENT) return NULL;
    const pickle_value *id = pickle_get(s->object, persistent->item[0]);
    *first = 0;
    if (id->count == 6) { /* (key, first element, elements), or None */
        const pickle_value *view = pickle_get(s->object, id->item[5]);
        if (view->kind == PICKLE_TUPLE && view->count == 3) {
            const pickle_value *begin = pickle_get(s->object, view->item[1]);
            if (begin->kind != PICKLE_INTEGER || begin->integer < 0) return NULL;
            *first = (uint64_t)begin->integer;
        } else if (view->kind != PICKLE_NONE) {
            return NULL;
        }
    }
    return find(s, pickle_get(s->object, id->item[2]));
}

/* The older format has no checksum: what comes is what the file has there. */
status torch_source_read(torch_source *s, const torch_storage *storage, void **data) {
    zip_stat_t e;
    if (s->zip) {
        if (zip_stat_index(s->zip, storage->place, 0, &e) != 0)
            return refuse(s, "an entry of the archive is gone");
        return zip_read(s, &e, data);
    }
    void *all = memory_alloc((size_t)storage->bytes, 1, s->path);
    if (!all) return STATUS_FAILED;
    status st = file_read_at(s->fd, s->path, storage->place, all, (size_t)storage->bytes);
    if (st == STATUS_OK)
        *data = all;
    else
        memory_free(all);
    return st;
}
