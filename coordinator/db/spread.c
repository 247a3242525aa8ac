/* spread.c - a range is bisected level by level, so that its shape is seen early. */
#include "coordinator/db/spread.h"

#include <stdlib.h>

#include "shared/base/mem.h"

struct gap {
    size_t first, last; /* have had their turn */
};

void
spread_turns(int64_t *turn, size_t n)
{
    struct gap *gaps = xcalloc(2 * n + 1, sizeof *gaps);
    size_t n_gaps = 0;
    int64_t next = 0;

    if (n > 0)
        turn[0] = next++;
    if (n > 1) {
        turn[n - 1] = next++;
        gaps[n_gaps++] = (struct gap){0, n - 1};
    }
    for (size_t i = 0; i < n_gaps; i++) {
        const struct gap g = gaps[i];
        const size_t middle = g.first + (g.last - g.first) / 2;
        if (middle == g.first)
            continue;
        turn[middle] = next++;
        gaps[n_gaps++] = (struct gap){g.first, middle};
        gaps[n_gaps++] = (struct gap){middle, g.last};
    }
    free(gaps);
}
