/* The end of strong scaling: a rank that gets no deal of the batch waits for the others in every
 * step. Groups are not split over ranks, as their statistics would then be exchanged at every norm,
 * which is what norm "sync" is for. */
#include "src/app/stage/deal.h"

int deal_size(const settings *s, int together) {
    return s->model.norm == MODEL_NORM_GROUP ? s->model.group : together;
}

int deal_count(int images, int deal) {
    return (images + deal - 1) / deal;
}
