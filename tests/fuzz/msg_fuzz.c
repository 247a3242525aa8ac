/*
 * msg_fuzz.c - frames of the wire protocol. A frame that can be decoded is encoded
 * again, and that one must decode to a message which is encoded to the same bytes.
 */
#include <assert.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/wire/msg.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem = {0};
    struct buf once = {0}, twice = {0};
    struct msg m;
    struct err err;

    if (msg_decode(&m, &mem, data, size, &err) == 0 && m.type != MSG_NONE) {
        msg_encode(&once, &m);
        const int rc = msg_decode(&m, &mem, once.data, once.len, &err);
        assert(rc == 0);
        msg_encode(&twice, &m);
        assert(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    }
    buf_release(&once);
    buf_release(&twice);
    arena_release(&mem);
    return 0;
}
