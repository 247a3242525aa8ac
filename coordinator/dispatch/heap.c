/* heap.c - the order in which ready jobs are taken. */
#include "coordinator/dispatch/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "shared/base/mem.h"

void
heap_release(struct heap *h)
{
    free(h->items);
    *h = (struct heap){0};
}

static int
is_before(const struct heap_item *a, const struct heap_item *b)
{
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static void
swap(struct heap_item *a, struct heap_item *b)
{
    const struct heap_item t = *a;

    *a = *b;
    *b = t;
}

void
heap_push(struct heap *h, struct heap_item item)
{
    h->items = xgrow(h->items, &h->capacity, h->n + 1, sizeof *h->items);
    size_t i = h->n++;
    h->items[i] = item;
    for (; i > 0 && is_before(&h->items[i], &h->items[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&h->items[i], &h->items[(i - 1) / 2]);
}

const struct heap_item *
heap_top(const struct heap *h)
{
    return h->n > 0 ? &h->items[0] : NULL;
}

struct heap_item
heap_pop(struct heap *h)
{
    assert(h->n > 0);
    const struct heap_item top = h->items[0];
    h->items[0] = h->items[--h->n];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->n; child++)
            if (is_before(&h->items[child], &h->items[least]))
                least = child;
        if (least == i)
            return top;
        swap(&h->items[i], &h->items[least]);
        i = least;
    }
}
