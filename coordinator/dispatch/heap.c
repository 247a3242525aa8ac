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

static void
sink(struct heap *h, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->n; child++)
            if (is_before(&h->items[child], &h->items[least]))
                least = child;
        if (least == i)
            return;
        swap(&h->items[i], &h->items[least]);
        i = least;
    }
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
    sink(h, 0);
    return top;
}

static bool
is_in(const struct job_span *spans, size_t n, int64_t id)
{
    size_t low = 0, high = n;

    while (low < high) { /* the first span that ends at the id or later */
        const size_t middle = low + (high - low) / 2;
        if (id > spans[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && spans[low].first <= id;
}

void
heap_forget(struct heap *h, const struct job_span *spans, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->n; i++)
        if (!is_in(spans, n, h->items[i].id))
            h->items[kept++] = h->items[i];
    h->n = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sink(h, i);
}
