/* idmap.c - open addressing with linear probing; removal closes the gap. */
#include "coordinator/dispatch/idmap.h"

#include <assert.h>
#include <stdlib.h>

#include "shared/base/mem.h"

enum { FIRST_CAPACITY = 16 };

void
idmap_release(struct idmap *m)
{
    free(m->keys);
    free(m->values);
    *m = (struct idmap){0};
}

static size_t
home_of(const struct idmap *m, int64_t key)
{
    return (size_t)(((uint64_t)key * 0x9e3779b97f4a7c15u) >> 20) & (m->capacity - 1);
}

/* Slot of the key, or the free slot where it would go. */
static size_t
slot_of(const struct idmap *m, int64_t key)
{
    size_t i = home_of(m, key);

    while (m->keys[i] != 0 && m->keys[i] != key)
        i = (i + 1) & (m->capacity - 1);
    return i;
}

void *
idmap_find(const struct idmap *m, int64_t key)
{
    return m->capacity > 0 && key > 0 ? m->values[slot_of(m, key)] : NULL;
}

static void
grow(struct idmap *m)
{
    const struct idmap old = *m;

    m->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
    m->keys = xcalloc(m->capacity, sizeof *m->keys);
    m->values = xcalloc(m->capacity, sizeof *m->values);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.keys[i] != 0) {
            const size_t slot = slot_of(m, old.keys[i]);
            m->keys[slot] = old.keys[i];
            m->values[slot] = old.values[i];
        }
    free(old.keys);
    free(old.values);
}

void
idmap_put(struct idmap *m, int64_t key, void *value)
{
    assert(key > 0 && value != NULL);
    if ((m->n + 1) * 2 > m->capacity)
        grow(m);
    const size_t i = slot_of(m, key);
    m->n += m->keys[i] == 0;
    m->keys[i] = key;
    m->values[i] = value;
}

/* Moves later items of the run into the free slot when they belong before it. */
static void
close_gap(struct idmap *m, size_t gap)
{
    for (size_t i = (gap + 1) & (m->capacity - 1); m->keys[i] != 0;
         i = (i + 1) & (m->capacity - 1)) {
        const size_t home = home_of(m, m->keys[i]), mask = m->capacity - 1;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        m->keys[gap] = m->keys[i];
        m->values[gap] = m->values[i];
        gap = i;
    }
    m->keys[gap] = 0;
    m->values[gap] = NULL;
}

void *
idmap_take(struct idmap *m, int64_t key)
{
    void *value = idmap_find(m, key);

    if (value == NULL)
        return NULL;
    close_gap(m, slot_of(m, key));
    m->n--;
    return value;
}

void *
idmap_next(const struct idmap *m, size_t *at)
{
    while (*at < m->capacity) {
        void *value = m->values[(*at)++];
        if (value != NULL)
            return value;
    }
    return NULL;
}

int64_t
idmap_hash(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return (int64_t)(h >> 1 | 1);
}
