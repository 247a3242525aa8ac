/*
 * bundle_fuzz.c - frames of several messages. Each message can be read and decoded; a
 * frame that is walked to its end has the bytes that bundle_add gives.
 */
#include <assert.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/wire/bundle.h"
#include "shared/wire/msg.h"
#include "tests/fuzz/fuzz.h"

static void
decode(const void *message, size_t size)
{
    struct arena mem = {0};
    struct msg m;
    struct err err;

    if (msg_decode(&m, &mem, message, size, &err) != 0)
        assert(err.text[0] != '\0');
    arena_release(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf again = {0};
    const void *message;
    size_t pos = 0, message_size;
    int more;

    if (!bundle_is(data, size))
        return 0;
    while ((more = bundle_next(data, size, &pos, &message, &message_size)) > 0) {
        decode(message, message_size);
        bundle_add(&again, message, message_size);
    }
    assert(more < 0 || size == 1
           || (again.len == size && memcmp(again.data, data, size) == 0));
    buf_release(&again);
    return 0;
}
