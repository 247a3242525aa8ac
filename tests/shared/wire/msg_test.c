/* Every message there and back, and every way in which bytes can be wrong. */
#include "shared/wire/msg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "shared/wire/codec.h"

static const char sha[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static struct msg_run runs[] = {{7, 1}, {8, 3}};
static struct msg_input inputs[] = {{"teacher", "model", sha, 123}};
static struct msg_progress progress[] = {{{7, 1}, 2, 10, 30, 100, 151.5, 0.25, 12}};
static struct msg_point points[] = {{"CA", -1, 91.25, "%", "max"},
                                    {"train/loss", 12, 0.5, "", "min"}};
static struct msg_artifact artifacts[] = {{"model", sha, 4096}};
static const char bytes[] = {0, 1, 2, (char)0xff, 0};

/* One of each type with every field filled. */
static const struct msg samples[] = {
    {MSG_HELLO, .u.hello = {"worker-1", "b00t", "host", "0.1.0", "{\"version\":1}", 2,
                            4, runs, 2, runs, 1}},
    {MSG_WELCOME, .u.welcome = {5, 500, 3000, "ipc:///x", runs, 2, 800}},
    {MSG_READY, .u.ready = {5, 1}},
    {MSG_GRANT, .u.grant = {{7, 1}, "{}", sha, inputs, 1, sha, 99, 40}},
    {MSG_STARTED, .u.started = {5, {7, 1}, 4711, "{\"host\":\"a\"}"}},
    {MSG_HEARTBEAT, .u.heartbeat = {5, progress, 1, 500, 900}},
    {MSG_METRICS, .u.metrics = {5, {7, 1}, 3, points, 2}},
    {MSG_LOG, .u.log = {5, {7, 1}, 100, "epoch 1 \xc3\xa9\n"}},
    {MSG_CHECKPOINT, .u.checkpoint = {5, {7, 1}, 40, sha, 4096}},
    {MSG_RESULT,
     .u.result =
         {5, {7, 1}, "signal", "killed", 0, 9, 12.5, 1 << 20, points, 2, artifacts, 1}},
    {MSG_ACK, .u.ack = {{7, 1}, "result", 0, "missing", sha}},
    {MSG_CANCEL, .u.cancel = {{7, 1}, true, "asked for"}},
    {MSG_BYE, .u.bye = {5, "SIGTERM", runs, 2}},
    {MSG_REJECT, .u.reject = {"version", "upgrade"}},
    {MSG_PUT, .u.put = {sha, 4096}},
    {MSG_PUT_STATE, .u.put_state = {sha, 4096, ""}},
    {MSG_CHUNK, .u.chunk = {sha, 1 << 20, 1 << 21, bytes, sizeof bytes}},
    {MSG_GET, .u.get = {sha, 1 << 20}},
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };

static void
every_message_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    assert_int_equal(N_SAMPLES, MSG_TYPE_COUNT - 1);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct buf first = {0}, second = {0};
        struct arena mem = {0};
        struct msg back;
        struct err err;

        msg_encode(&first, &samples[i]);
        assert_int_equal(msg_decode(&back, &mem, first.data, first.len, &err), 0);
        assert_int_equal(back.type, samples[i].type);
        msg_encode(&second, &back);
        assert_int_equal(first.len, second.len);
        assert_memory_equal(first.data, second.data, first.len);
        buf_release(&first);
        buf_release(&second);
        arena_release(&mem);
    }
}

static void
fields_keep_their_places(void **state)
{
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    msg_encode(&frame, &samples[MSG_RESULT - 1]);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), 0);
    buf_release(&frame); /* nothing may point into it */
    const struct msg_result *r = &m.u.result;
    assert_int_equal(r->session, 5);
    assert_int_equal(r->run.job, 7);
    assert_int_equal(r->run.attempt, 1);
    assert_string_equal(r->outcome, "signal");
    assert_string_equal(r->text, "killed");
    assert_int_equal(r->signal, 9);
    assert_true(r->seconds == 12.5);
    assert_int_equal(r->n_finals, 2);
    assert_string_equal(r->finals[0].name, "CA");
    assert_true(r->finals[0].value == 91.25);
    assert_int_equal(r->finals[0].step, -1);
    assert_string_equal(r->finals[1].goal, "min");
    assert_int_equal(r->n_artifacts, 1);
    assert_string_equal(r->artifacts[0].sha, sha);
    assert_int_equal(r->artifacts[0].size, 4096);
    arena_release(&mem);
}

static void
a_message_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct buf frame = {0};
        msg_encode(&frame, &samples[i]);
        for (size_t n = 0; n < frame.len; n++) {
            struct arena mem = {0};
            struct msg m;
            struct err err = {0};
            char *cut =
                malloc(n + 1); /* exact size, so that sanitizers see a read behind */
            memcpy(cut, frame.data, n);
            cut = realloc(cut, n > 0 ? n : 1);
            assert_int_equal(msg_decode(&m, &mem, cut, n, &err), -1);
            assert_int_equal(err.kind, ERR_DATA);
            assert_true(err.text[0] != '\0');
            free(cut);
            arena_release(&mem);
        }
        buf_release(&frame);
    }
}

/* xorshift64: the test must give the same bytes everywhere. */
static uint64_t
next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void
random_damage_is_decoded_or_refused_but_never_crashes(void **state)
{
    uint64_t seed = 88172645463325252u;
    int refused = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct buf frame = {0}, again = {0};
        struct arena mem = {0};
        struct msg m;
        struct err err;
        msg_encode(&frame, &samples[next_random(&seed) % N_SAMPLES]);
        for (uint64_t k = next_random(&seed) % 4 + 1; k > 0; k--)
            frame.data[next_random(&seed) % frame.len] = (char)next_random(&seed);
        if (msg_decode(&m, &mem, frame.data, frame.len, &err) != 0)
            refused++;
        else if (m.type != MSG_NONE)
            msg_encode(&again, &m); /* reads every pointer and count */
        buf_release(&frame);
        buf_release(&again);
        arena_release(&mem);
    }
    assert_true(refused > 1000);
}

static void
random_bytes_are_refused(void **state)
{
    uint64_t seed = 42;
    char frame[64];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct arena mem = {0};
        struct msg m;
        struct err err;
        const size_t n = next_random(&seed) % sizeof frame;
        for (size_t i = 0; i < n; i++)
            frame[i] = (char)next_random(&seed);
        if (msg_decode(&m, &mem, frame, n, &err) == 0)
            assert_int_equal(m.type, MSG_NONE);
        arena_release(&mem);
    }
}

static void
missing_trailing_fields_read_as_zero(void **state)
{
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    codec_put_array(&frame, 3);
    codec_put_int(&frame, MSG_PROTOCOL);
    codec_put_int(&frame, MSG_GRANT);
    codec_put_array(&frame, 1); /* run: [job] */
    codec_put_int(&frame, 7);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), 0);
    assert_int_equal(m.u.grant.run.job, 7);
    assert_int_equal(m.u.grant.run.attempt, 0);
    assert_string_equal(m.u.grant.spec, "");
    assert_int_equal(m.u.grant.n_inputs, 0);
    assert_string_equal(m.u.grant.resume_sha, "");
    buf_release(&frame);
    arena_release(&mem);
}

static void
fields_of_newer_peers_are_skipped(void **state)
{
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    codec_put_array(&frame, 6);
    codec_put_int(&frame, MSG_PROTOCOL);
    codec_put_int(&frame, MSG_PUT);
    codec_put_text(&frame, sha, 64);
    codec_put_int(&frame, 10);
    codec_put_array(&frame, 1); /* what a later version may add */
    codec_put_text(&frame, "zstd", 64);
    codec_put_real(&frame, 1.5);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), 0);
    assert_string_equal(m.u.put.sha, sha);
    assert_int_equal(m.u.put.size, 10);
    buf_release(&frame);
    arena_release(&mem);
}

static void
another_protocol_is_refused_with_a_sentence(void **state)
{
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    codec_put_array(&frame, 2);
    codec_put_int(&frame, MSG_PROTOCOL + 1);
    codec_put_int(&frame, MSG_READY);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "protocol 2"));
    buf_release(&frame);
    arena_release(&mem);
}

static void
an_unknown_type_is_told_apart_from_damage(void **state)
{
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    codec_put_array(&frame, 3);
    codec_put_int(&frame, MSG_PROTOCOL);
    codec_put_int(&frame, 99);
    codec_put_text(&frame, "?", 8);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), 0);
    assert_int_equal(m.type, MSG_NONE);
    buf_release(&frame);
    arena_release(&mem);
}

static void
a_field_of_another_type_is_named(void **state)
{
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    codec_put_array(&frame, 4);
    codec_put_int(&frame, MSG_PROTOCOL);
    codec_put_int(&frame, MSG_PUT);
    codec_put_text(&frame, sha, 64);
    codec_put_text(&frame, "ten", 64);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), -1);
    assert_non_null(strstr(err.text, "`size`"));
    buf_release(&frame);
    arena_release(&mem);
}

static void
text_that_is_not_utf8_is_mended_by_the_sender(void **state)
{
    const struct msg sent = {MSG_REJECT, .u.reject = {"refused", "caf\xe9 \xff ok"}};
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    msg_encode(&frame, &sent);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), 0);
    assert_string_equal(m.u.reject.text, "caf? ? ok");
    buf_release(&frame);
    arena_release(&mem);
}

static void
nan_and_infinity_survive(void **state)
{
    struct msg_point point = {"loss", 3, (double)NAN, "", "min"};
    const struct msg sent = {MSG_METRICS, .u.metrics = {5, {7, 1}, 1, &point, 1}};
    struct buf frame = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    msg_encode(&frame, &sent);
    assert_int_equal(msg_decode(&m, &mem, frame.data, frame.len, &err), 0);
    assert_true(isnan(m.u.metrics.points[0].value));
    buf_release(&frame);
    arena_release(&mem);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back_as_it_was_sent),
        cmocka_unit_test(fields_keep_their_places),
        cmocka_unit_test(a_message_cut_at_any_byte_is_refused),
        cmocka_unit_test(random_damage_is_decoded_or_refused_but_never_crashes),
        cmocka_unit_test(random_bytes_are_refused),
        cmocka_unit_test(missing_trailing_fields_read_as_zero),
        cmocka_unit_test(fields_of_newer_peers_are_skipped),
        cmocka_unit_test(another_protocol_is_refused_with_a_sentence),
        cmocka_unit_test(an_unknown_type_is_told_apart_from_damage),
        cmocka_unit_test(a_field_of_another_type_is_named),
        cmocka_unit_test(text_that_is_not_utf8_is_mended_by_the_sender),
        cmocka_unit_test(nan_and_infinity_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
