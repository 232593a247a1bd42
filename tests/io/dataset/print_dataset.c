/* print_dataset CASE FILE: what is in a dataset.h5, as tests/fixtures/layouts.txt has it. */
#include "io/dataset/dataset.h"

#include <stdio.h>

static int print_image(const char *name, const dataset *d, int i) {
    labelmap m = {0};
    dataset_item x = dataset_get(d, i);
    status st = dataset_load_label(d, i, 1, &m);
    printf("%s %s %s %d %d", name, split_words[x.split], x.name, x.height, x.width);
    for (int k = 0; st == STATUS_OK && m.data && k < m.height * m.width; k++)
        if (m.data[k] == LABEL_IGNORE)
            printf(" .");
        else
            printf(" %d", m.data[k]);
    printf("\n");
    labelmap_destroy(&m);
    return st != STATUS_OK;
}

int main(int argc, char **argv) {
    dataset *d = NULL;
    if (argc != 3 || dataset_open(NULL, argv[2], &d) != STATUS_OK) return 1;
    int failures = 0, classes = dataset_classes(d);
    printf("%s classes %d %s ... %s\n", argv[1], classes, dataset_class_name(d, 0),
        dataset_class_name(d, classes - 1));
    for (int i = 0; i < dataset_count(d); i++) failures += print_image(argv[1], d, i);
    dataset_close(d);
    return failures > 0;
}
