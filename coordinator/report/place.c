/* place.c - greedy placement of labels among boxes. Knows no canvas. */
#include "coordinator/report/place.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"

struct place_taken {
    struct place_box box;
    bool firm;
};

void
place_release(struct place *p)
{
    free(p->taken);
    *p = (struct place){0};
}

void
place_take(struct place *p, struct place_box box, bool firm)
{
    p->taken = xgrow(p->taken, &p->capacity, p->n + 1, sizeof *p->taken);
    p->taken[p->n++] = (struct place_taken){box, firm};
}

void
place_take_line(struct place *p, double x1, double y1, double x2, double y2)
{
    static const double stride = 5;
    const int steps = (int)ceil(hypot(x2 - x1, y2 - y1) / stride) + 1;

    for (int i = 0; i <= steps; i++) {
        const double t = (double)i / steps;
        const double x = x1 + t * (x2 - x1), y = y1 + t * (y2 - y1);
        place_take(p, (struct place_box){x - 1, y - 1, x + 1, y + 1}, false);
    }
}

static bool
overlap(const struct place_box *a, const struct place_box *b)
{
    return a->x1 < b->x2 && b->x1 < a->x2 && a->y1 < b->y2 && b->y1 < a->y2;
}

/* How many loose boxes it covers; -1 when it covers a firm one. */
static int
cost(const struct place *p, const struct place_box *box)
{
    int n = 0;

    for (size_t i = 0; i < p->n; i++) {
        if (!overlap(box, &p->taken[i].box))
            continue;
        if (p->taken[i].firm)
            return -1;
        n++;
    }
    return n;
}

int
place_find(struct place *p, const struct place_box *candidates, int n,
           struct place_box bounds)
{
    int best = -1, least = 0;

    for (int i = 0; i < n; i++) {
        const struct place_box *c = &candidates[i];
        if (c->x1 < bounds.x1 || c->x2 > bounds.x2 || c->y1 < bounds.y1
            || c->y2 > bounds.y2)
            continue;
        const int covered = cost(p, c);
        if (covered >= 0 && (best < 0 || covered < least)) {
            best = i;
            least = covered;
        }
    }
    if (best >= 0)
        place_take(p, candidates[best], true);
    return best;
}
