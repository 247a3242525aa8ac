/* st_fuzz.c - safetensors files: all bytes of every tensor that is found can be read. */
#include <assert.h>

#include "tests/fuzz/fuzz.h"
#include "worker/pipeline/safetensors.h"

static volatile unsigned sink; /* keeps the reads */

static unsigned
sum_of(const struct st_tensor *t)
{
    const unsigned char *bytes = t->data;
    unsigned sum = 0;

    for (size_t i = 0; i < t->bytes; i++)
        sum += bytes[i];
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct st_file *file;
    struct err err;

    if (st_parse(&file, data, size, "fuzz", &err) != 0)
        return 0;
    for (size_t i = 0; i < st_count(file); i++) {
        const struct st_tensor *t = st_at(file, i);
        sink = sum_of(t);
        assert(st_find(file, t->name) == t);
    }
    st_metadata(file, "format");
    st_free(file);
    return 0;
}
