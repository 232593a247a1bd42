#include "io/page/page.h"

#include "io/files/file.h"
#include "io/files/metrics.h"
#include "src/base/memory.h"
#include "tests/io/page/markup.h"
#include "tests/io/scratch.h"

#include <math.h>

enum { LIMIT = 1 << 22 };

static scratch place;

static int setup(void **state) {
    (void)state;
    scratch_create(&place);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_destroy(&place);
    return 0;
}

static void write_curve(const char *path, const char *stage, int round, int steps) {
    metrics *m;
    assert_int_equal(metrics_open(&m, path, stage, round, 0), STATUS_OK);
    for (int step = 1; step <= steps; step++) {
        metrics_row row = METRICS_EMPTY(stage, round, step);
        double value = 3 * exp(-step / 200.0) + 1 + 0.2 * sin(step * 1.7) / round;
        if (strcmp(stage, "finetune") == 0 || strcmp(stage, "baseline") == 0) {
            row.loss = value;
            row.gradient_norm = value;
            row.learning_rate = 0.01 * pow(0.9, step);
        } else if (strcmp(stage, "cluster") == 0) {
            row.objective = value;
            row.changed = 1000.0 * (steps - step); /* 0 at last: not on a logarithmic axis */
            row.kept = 2000;
        } else {
            row.loss = value;
        }
        assert_int_equal(metrics_write(m, &row), STATUS_OK);
    }
    metrics_close(m);
}

static char *write_and_read(const page_data *d) {
    void *text;
    size_t size;
    assert_int_equal(page_write(place.folder, d), STATUS_OK);
    char path[FILE_PATH];
    assert_int_equal(file_path(path, place.folder, "report.html"), STATUS_OK);
    assert_int_equal(file_read(path, LIMIT, &text, &size), STATUS_OK);
    assert_int_equal(strlen(text), size);
    return text;
}

/* A page with everything in it; texts are hostile where they come from a data set. */
static char *whole_page(void) {
    static const page_measure measure[] = {
        {"mIoU", {0.4123, 0.4371}}, {"mAcc", {0.512, 0.509}}, {"aAcc", {0.801, NAN}}};
    static const page_class class_result[] = {
        {"<script>alert('road')</script>", {0.91, 0.934}, {0.95, 0.949}},
        {"sky & \"clouds\"", {0.88, 0.871}, {0.9, 0.9}}, {"bicyc\xFF\x01le", {NAN, 0.2}, {NAN, 0}}};
    static const int64_t matrix[] = {90, 10, 0, 0};
    static const page_confusion confusion[] = {
        {"pretrained & all", "confusion-<x>.csv", matrix}, {"baseline", NULL, matrix}};
    static const int64_t pixels[] = {250000, 749000, 1000};
    static const uint8_t colour[][3] = {{1, 2, 3}, {250, 251, 252}};
    static const page_split splits[] = {
        {"train", 1200, 300, "360 x <480>", 200, pixels, "all <one>"},
        {"val", 10, 0, "1 x 1", 0, NULL, NULL}};
    static const page_score score[] = {{"Round 1", "Positive precision, by pairs", 0.63, 0.21},
        {"Round 1", "Purity", 0.71, NAN}, {"Round 2", "Purity", 0.76, NAN}};
    static const char *const row[] = {"0", "1", "</table>"}, *const text[] = {"a", "<i>", "c"};
    static const char *const names[] = {"ro<a>d", "sky"};
    static const page_column column[] = {
        {"Precision", NUMBER_SHARE}, {"Pixels", NUMBER_COUNT}, {"Size", NUMBER_PLAIN}};
    static const double value[] = {0.5, 1234567, 0.00123456, NAN, 999, 12.5, 1, 0, -3};
    static const page_table table[] = {{.title = "Clusters",
        .row_title = "Cluster",
        .row = row,
        .text_title = "Commonest class",
        .text = text,
        .bar_title = "Precision, mark at the second",
        .column = column,
        .rows = 3,
        .columns = 3,
        .value = value}};
    static const page_picture picture[] = {
        {"not really a PNG", 16, "image"}, {"12345", 5, "labels \" onload=x"}};
    static const page_strip strip[] = {{"seq/<b>.png", picture, 2}};
    static const page_patch patch[] = {{{"\xFF\xD8 JPEG", 7, "p<q>.jpg"}, 0.25, 0.5, 0.125}};
    page_cluster cluster[20] = {{"17 & road", "12 % of <pixels>", patch, 1}};
    for (int i = 1; i < 20; i++) cluster[i] = (page_cluster){"empty", NULL, NULL, 0};
    char metrics_path[256], record_path[256];
    strcpy(metrics_path, scratch_path(&place, "metrics.csv"));
    strcpy(record_path, scratch_path(&place, "run.json"));
    write_curve(metrics_path, "cluster", 1, 20);
    write_curve(metrics_path, "pretrain", 1, 700);
    write_curve(metrics_path, "pretrain", 2, 300);
    write_curve(metrics_path, "baseline", 1, 50);
    write_curve(metrics_path, "finetune", 1, 50);
    write_curve(metrics_path, "another & stage", 1, 5);
    run_record *record;
    settings s;
    phases spread = {0};
    spread.phase[PHASE_LOSS] = (phase_spread){1.25, 1.5, 2.75, 3};
    spread.phase[PHASE_FORWARD] = (phase_spread){2, 2.5, 3.25, 0};
    spread.phase[PHASE_EXCHANGE] = (phase_spread){0, 100, 900, 1};
    stage_record stage = {.name = "pretrain",
        .within = "<outer>",
        .started = "2025-01-31T23:59:59Z",
        .seconds = 90,
        .place = {4, 8, 2, "n1,n2"},
        .phases = &spread,
        .peak_memory = 1234.4,
        .fom = 12.5,
        .fom_unit = "images/s"};
    const start_record start[] = {{.started = "2025-01-31T22:00:00Z",
                                      .command = "auxseg run --set run.dir=<x>",
                                      .version = "0.1.0",
                                      .commit = "abc123",
                                      .job = "4711",
                                      .place = {4, 8, 2, "n1,n2"}},
        {.started = "2025-01-31T23:00:00Z",
            .command = "auxseg run again",
            .version = "0.1.0",
            .place = {4, 8, 2, "n1,n2"},
            .seconds = 12.25,
            .peak_memory = 777,
            .exit_code = STATUS_STOPPED},
        {.started = "2025-02-01T00:00:00Z", .command = "auxseg report", .version = "0.1.0"}};
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    assert_int_equal(run_record_open(&record, record_path), STATUS_OK);
    assert_int_equal(run_record_begin(record, &s, 2, 1), STATUS_OK);
    assert_int_equal(run_record_set_stage(record, &stage), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(run_record_add_start(record, &start[i]), STATUS_OK);
    assert_int_equal(run_record_end_start(record, &start[1]), STATUS_OK);
    assert_int_equal(run_record_set_hash(record, "labels", 0xABCDEF), STATUS_OK);
    page_data d = {.title = "auxseg: a <run>",
        .settings = &s,
        .record = record,
        .metrics = metrics_path,
        .measure = measure,
        .measures = 3,
        .class_result = class_result,
        .classes = 3,
        .confusion = confusion,
        .confusions = 2,
        .split = splits,
        .splits = 2,
        .labelled_used = 60,
        .class_colour = colour,
        .score = score,
        .scores = 3,
        .table = table,
        .tables = 1,
        .class_name = names,
        .class_names = 2,
        .overlay = strip,
        .overlays = 1,
        .overlay_note = "note of the overlays",
        .cluster = cluster,
        .clusters = 20,
        .cluster_note = "note of the clusters",
        .prediction = strip,
        .predictions = 1};
    char *page = write_and_read(&d);
    run_record_close(record);
    return page;
}

static void texts_are_escaped(void **state) {
    (void)state;
    char *page = whole_page();
    assert_lacks(page, "<script");
    assert_lacks(page, "<b>.png");
    assert_lacks(page, "\" onload");
    assert_has(page, "&lt;script&gt;alert(&#39;road&#39;)&lt;/script&gt;");
    assert_has(page, "sky &amp; &quot;clouds&quot;");
    assert_has(page, "bicyc\xEF\xBF\xBD\xEF\xBF\xBDle");
    assert_has(page, "<title>auxseg: a &lt;run&gt;</title>");
    memory_free(page);
}

static void everything_is_there(void **state) {
    (void)state;
    char *page = whole_page();
    static const char *const has[] = {"43.7<small>%", "+2.5",
        "\xE2\x88\x92"
        "0.3",
        "63.0", "left:21.0%",
        "1\xE2\x80\x89"
        "234\xE2\x80\x89"
        "567",
        "0.001235", "Round 2",
        "base64,bm90IHJlYWxseSBhIFBORw==", "base64,MTIzNDU=", "12.50 images/s", ">2.8<",
        "pretrain.temperature", "0000000000abcdef", "<td>&lt;i&gt;</td>", "<b>17 &amp; road</b>",
        "12 % of &lt;pixels&gt;", "title=\"p&lt;q&gt;.jpg\"",
        "data:image/jpeg;base64,/9ggSlBFRw==", "left:25.0%;top:50.0%;width:12.5%;height:12.5%",
        "<summary>5 more</summary>", "note of the overlays", "note of the clusters",
        "</i>ro&lt;a&gt;d</span>", "rgb(1,2,3)", "rgb(250,251,252)", "360 x &lt;480&gt;",
        "Labels of train</strong>: all &lt;one&gt;.", "Fine-tuning uses 60 labelled",
        "counted on 200 of 300", ">25.0</td>", ">no class</th>", "Confusion: pretrained &amp; all",
        "confusion-&lt;x&gt;.csv", "--v:0.90\">90.0</td>", "<summary>Confusion: baseline</summary>",
        "</main></body></html>"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++) assert_has(page, has[i]);
    /* Nothing is loaded from elsewhere, nothing runs. */
    assert_lacks(page, "src=\"http");
    assert_lacks(page, "href=\"http");
    assert_lacks(page, "url(");
    assert_lacks(page, " onclick");
    memory_free(page);
}

/* The value of the next attribute `name="..."` at or after *at, which moves on; false: no more. */
static bool next_value(const char **at, const char *name, char *value, size_t size) {
    char before[32];
    snprintf(before, sizeof before, " %s=\"", name);
    const char *found = strstr(*at, before);
    if (!found) return false;
    found += strlen(before);
    snprintf(value, size, "%.*s", (int)strcspn(found, "\""), found);
    *at = found;
    return true;
}

static void the_page_is_well_formed_and_accessible(void **state) {
    (void)state;
    char value[64], id[80];
    char *page = whole_page();
    markup_check(page);
    assert_has(page, "<html lang=\"en\">");
    for (const char *at = page; next_value(&at, "id", value, sizeof value);) {
        snprintf(id, sizeof id, " id=\"%s\"", value);
        assert_int_equal(markup_count(page, id), 1);
    }
    for (const char *at = page; next_value(&at, "href", value, sizeof value);) {
        snprintf(id, sizeof id, " id=\"%s\"", value + 1);
        assert_int_equal(value[0], '#');
        assert_has(page, id);
    }
    assert_int_equal(markup_count(page, "<img "), markup_count(page, "<img alt=\""));
    assert_int_equal(markup_count(page, "alt=\"\""), 0);
    assert_int_equal(markup_count(page, "<th") - markup_count(page, "<thead"),
        markup_count(page, "<th scope=\""));
    /* On a narrow window a table scrolls; words break nowhere but in the letters of code. */
    assert_int_equal(
        markup_count(page, "<table"), markup_count(page, "<div class=\"scroll\"><table"));
    assert_lacks(page, "vertical-align:top;overflow-wrap:anywhere");
    assert_int_equal(markup_count(page, "<section "), markup_count(page, "<li><a href=\"#"));
    memory_free(page);
}

/* A row a stage, and one a start: when, where, how long, how even, how much memory. */
static void stages_and_starts_are_told(void **state) {
    (void)state;
    char *page = whole_page();
    const char *at = strstr(page, "<section id=\"time\"");
    assert_non_null(at);
    /* (2.75 + 3.25) / (1.5 + 2.5) - 1: the exchange does not count. */
    static const char *const row =
        "<th scope=\"row\">pretrain (within &lt;outer&gt;)</th>"
        "<td class=\"n\">90.0</td>"
        "<td class=\"n\">50.0</td><td class=\"n\">1234</td>"
        "<td class=\"n\">4 \xC3\x97 8 \xC3\x97 2</td><td class=\"n\">12.50 images/s</td>"
        "<td class=\"moment\">2025-01-31 23:59:59 UTC</td>";
    static const char *const has[] = {
        "<td>loss</td><td class=\"n\">1.2</td><td class=\"n\">1.5</td>"
        "<td class=\"n\">2.8</td><td class=\"n\">3</td>",
        "<td>exchange</td>", ">2025-01-31 22:00:00 UTC</th>", "no end is recorded", "<td>4711</td>",
        "auxseg run --set run.dir=&lt;x&gt;", "0.1.0 abc123", "stopped early, state saved",
        ">777</td>", "wrote this page"};
    assert_has(at, row);
    for (size_t i = 0; i < sizeof has / sizeof *has; i++) assert_has(at, has[i]);
    memory_free(page);
}

/* One chart a measure; rounds and the two fine-tunings share it. No other program is needed. */
static void curves_are_charts(void **state) {
    (void)state;
    char *path = strdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    char *page = whole_page();
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    const char *curves = strstr(page, "<section id=\"curves\"");
    assert_non_null(curves);
    static const char *const has[] = {
        "aria-label=\"Contrastive pretraining, Loss: pretraining, round 1, 700 points, from ",
        "pretraining, round 2, 300 points", "Clustering, Objective: ", "Clustering, Changed rows: ",
        "Clustering, Kept centroids: ", "Fine-tuning, Learning rate: from plain initial weights, ",
        "from contrastive pretraining, round 1, 50 points", "Fine-tuning, Gradient norm",
        "<h3>another &amp; stage</h3>"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++) assert_has(curves, has[i]);
    /* Of the pretraining the loss alone, of a stage by its own name too. */
    assert_lacks(page, "Contrastive pretraining, Learning rate");
    assert_int_equal(markup_count(curves, "<figure>"), 3 + 1 + 3 + 1);
    memory_free(page);
}

/* metrics.csv with rows, but without a figure to draw: no heading, no link. */
static void a_section_without_content_has_no_heading(void **state) {
    (void)state;
    char path[256];
    metrics *m;
    strcpy(path, scratch_path(&place, "empty.csv"));
    assert_int_equal(metrics_open(&m, path, "pretrain", 1, 0), STATUS_OK);
    for (int step = 1; step <= 2; step++)
        assert_int_equal(metrics_write(m, &METRICS_EMPTY("pretrain", 1, step)), STATUS_OK);
    metrics_close(m);
    char *page = write_and_read(&(page_data){.title = "nothing", .metrics = path});
    assert_lacks(page, "<h2");
    assert_lacks(page, "<nav");
    memory_free(page);
}

/* A clustering of an older version has not counted them: nothing is said. */
static void clusters_without_a_pixel_are_told(void **state) {
    (void)state;
    static const page_strip strip = {"an image", NULL, 0};
    page_data d = {
        .title = "t", .overlay = &strip, .overlays = 1, .empty_clusters = 3, .all_clusters = 5};
    char *page = write_and_read(&d);
    markup_check(page);
    assert_has(page, "Clusters without a pixel: 3 of 5.");
    assert_lacks(page, "One cluster has all");
    memory_free(page);
    d.empty_clusters = 4;
    page = write_and_read(&d);
    markup_check(page);
    assert_has(page, "One cluster has all pixels that have a label");
    memory_free(page);
    d.empty_clusters = 0;
    page = write_and_read(&d);
    assert_has(page, "Clusters without a pixel: 0 of 5.");
    memory_free(page);
    d.empty_clusters = -1;
    page = write_and_read(&d);
    assert_lacks(page, "without a pixel");
    memory_free(page);
}

/* A matrix of very many classes says nothing to the eye: the largest confusions are listed. */
static void many_classes_have_a_list_of_confusions(void **state) {
    (void)state;
    enum { MANY = 150 };
    static char text[MANY][24];
    static const char *names[MANY];
    int64_t *matrix = memory_alloc(MANY * MANY, sizeof *matrix, "matrix");
    for (int y = 0; y < MANY; y++) {
        snprintf(text[y], sizeof text[y], "class %d", y);
        names[y] = text[y];
        matrix[y * MANY + y] = 900000;
        for (int j = 0; j < MANY; j++)
            if (j != y) matrix[y * MANY + j] = y + j;
    }
    matrix[17 * MANY + 140] = 12345;
    const page_confusion confusion = {"pretrained", NULL, matrix};
    char *page = write_and_read(&(page_data){.title = "many",
        .confusion = &confusion,
        .confusions = 1,
        .class_name = names,
        .class_names = MANY});
    markup_check(page);
    assert_true(strlen(page) < 40000);
    assert_int_equal(markup_count(page, "<tr>"), 1 + 30);
    const char *first = strstr(page, "<tbody>");
    assert_non_null(first);
    assert_int_equal(
        strncmp(strstr(first, "scope=\"row\">") + 12, "class 17</th><td>class 140<", 27), 0);
    assert_has(page, "12\xE2\x80\x89"
                     "345</td>");
    memory_free(page);
    memory_free(matrix);
}

static void settings_that_differ_come_first(void **state) {
    (void)state;
    settings s;
    static const char *const set[] = {"cluster.k=123", "run.dir=<b>"};
    assert_int_equal(settings_read(&s, NULL, set, 2), STATUS_OK);
    char *page = write_and_read(&(page_data){.title = "t", .settings = &s});
    markup_check(page);
    const char *fold = strstr(page, "<details>");
    assert_non_null(fold);
    assert_has(fold, "cluster.k</th><td class=\"value\">123</td></tr>");
    assert_has(fold, "pretrain.steps");
    page[fold - page] = '\0';
    assert_has(page, "cluster.k</th><td class=\"value\">123</td><td class=\"value\">");
    assert_has(page, "&lt;b&gt;");
    assert_lacks(page, "pretrain.steps");
    memory_free(page);
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    page = write_and_read(&(page_data){.title = "t", .settings = &s});
    assert_has(page, "All settings are the defaults.");
    memory_free(page);
}

/* What a stage was made with stands beside what the settings are now, where the two differ. */
static void stages_of_other_settings_are_marked(void **state) {
    (void)state;
    static const char *const then[] = {"cluster.k=77", "cluster.iterations=9"};
    static const char *const now[] = {"cluster.k=123", "cluster.iterations=9"};
    const stage_record stage = {.name = "cluster", .key = 1, .peak_memory = NAN, .fom = NAN};
    settings s, later;
    run_record *r;
    char path[256];
    strcpy(path, scratch_path(&place, "other.json"));
    assert_int_equal(settings_read(&s, NULL, then, 2), STATUS_OK);
    assert_int_equal(settings_read(&later, NULL, now, 2), STATUS_OK);
    assert_int_equal(run_record_open(&r, path), STATUS_OK);
    assert_int_equal(run_record_set_stage(r, &stage), STATUS_OK);
    assert_int_equal(run_record_set_stage_settings(r, "cluster", &s, "cluster"), STATUS_OK);
    char *page = write_and_read(&(page_data){.title = "t", .settings = &later, .record = r});
    markup_check(page);
    assert_has(page, "<th scope=\"row\">cluster</th><td class=\"value\">cluster.k</td>"
                     "<td class=\"value\">77</td><td class=\"value\">123</td>");
    assert_lacks(page, "<td class=\"value\">cluster.iterations</td>");
    memory_free(page);
    page = write_and_read(&(page_data){.title = "t", .settings = &s, .record = r});
    assert_lacks(page, "made with other settings");
    memory_free(page);
    run_record_close(r);
}

static void an_empty_report_is_a_page(void **state) {
    (void)state;
    char *page = write_and_read(&(page_data){.title = "nothing"});
    assert_has(page, "<h1>nothing</h1>");
    assert_lacks(page, "<section");
    markup_check(page);
    memory_free(page);
}

static void a_missing_folder_is_told(void **state) {
    (void)state;
    page_data d = {.title = "nothing"};
    assert_int_equal(page_write("/nonexistent/folder", &d), STATUS_OUTPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(everything_is_there),
        cmocka_unit_test(the_page_is_well_formed_and_accessible),
        cmocka_unit_test(stages_and_starts_are_told),
        cmocka_unit_test(curves_are_charts),
        cmocka_unit_test(a_section_without_content_has_no_heading),
        cmocka_unit_test(clusters_without_a_pixel_are_told),
        cmocka_unit_test(many_classes_have_a_list_of_confusions),
        cmocka_unit_test(settings_that_differ_come_first),
        cmocka_unit_test(stages_of_other_settings_are_marked),
        cmocka_unit_test(an_empty_report_is_a_page),
        cmocka_unit_test(a_missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
