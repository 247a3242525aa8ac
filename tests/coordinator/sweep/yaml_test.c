/* The tree: positions of every node, duplicate keys, limits, aliases. */
#include "coordinator/sweep/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"

static struct arena mem;

static struct yaml_node *
read_ok(const char *text)
{
    struct yaml_node *root;
    struct err err = {0};

    if (yaml_read(&root, text, strlen(text), "f", &mem, &err) != 0)
        fail_msg("%s", err.text);
    return root;
}

static void
fails(const char *text, const char *expected)
{
    struct yaml_node *root;
    struct err err = {0};

    assert_int_equal(yaml_read(&root, text, strlen(text), "f", &mem, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    if (strncmp(err.text, expected, strlen(expected)) != 0)
        assert_string_equal(err.text, expected);
}

static int
teardown(void **state)
{
    (void)state;
    arena_release(&mem);
    return 0;
}

static void
every_node_knows_its_line_and_column(void **state)
{
    const struct yaml_node *root = read_ok("a: 1\nb:\n  - x\n  - {c: \"y\"}\n");

    (void)state;
    const struct yaml_node *list = yaml_get(root, "b");
    assert_int_equal(root->keys[1]->line, 2);
    assert_int_equal(root->keys[1]->column, 1);
    assert_int_equal(list->items[0]->line, 3);
    assert_int_equal(list->items[0]->column, 5);
    const struct yaml_node *y = yaml_get(list->items[1], "c");
    assert_int_equal(y->line, 4);
    assert_int_equal(y->column, 9);
    assert_true(y->quoted);
    assert_null(yaml_get(root, "c"));
}

static void
scalars_stay_text(void **state)
{
    const struct yaml_node *root =
        read_ok("a: 015\nb: no\nc: 1e-4\nd: 12:30\ne: 1_000\nf:\n");

    (void)state;
    assert_string_equal(yaml_get(root, "a")->text, "015");
    assert_string_equal(yaml_get(root, "b")->text, "no");
    assert_string_equal(yaml_get(root, "d")->text, "12:30");
    assert_string_equal(yaml_get(root, "f")->text, "");
}

static void
an_empty_file_is_an_empty_map(void **state)
{
    (void)state;
    assert_int_equal(read_ok("")->n, 0);
    assert_int_equal(read_ok("# nothing\n")->kind, YAML_MAP);
}

static void
bad_files_are_refused_at_their_place(void **state)
{
    (void)state;
    fails("a: 1\nb: 2\na: 3\n", "f:3:1: key `a` is already there in line 1");
    fails("a:\n\tb: 1\n", "f:2:1: while scanning");
    fails("a: [1\n", "f:2:1: while parsing a flow sequence");
    fails("a: 1\n---\nb: 2\n", "f:2:1: a second document begins");
    fails("a: !!int 3\n", "f:1:4: tags");
    fails("a: *x\n", "f:1:4: alias *x has no anchor");
    fails("a: &x [*x]\n", "f:1:8: alias *x contains itself");
    fails("<<: {a: 1}\n", "f:1:1: merge keys");
    fails("? [a]\n: 1\n", "f:1:3: a key must be a word");
    fails("a: \"x\\0y\"\n", "f:1:4: the text contains a zero byte");
    fails("a: \xff\n", "f: byte 3:");
}

static void
deep_nesting_ends_at_the_limit(void **state)
{
    struct buf text = {0};

    (void)state;
    buf_puts(&text, "a: ");
    for (int i = 0; i < 10000; i++)
        buf_putc(&text, '[');
    fails(buf_str(&text), "f:1:35: nested more than 32 deep");
    buf_release(&text);
}

static void
an_alias_bomb_ends_at_the_limit_at_once(void **state)
{
    struct buf text = {0};
    const double start = clock_mono_s();

    (void)state;
    buf_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_printf(&text, "%s*a%d", k ? ", " : "", i - 1);
        buf_puts(&text, "]\n");
    }
    fails(buf_str(&text), "f:6:5: the file has more than 200000 nodes when its");
    assert_true(clock_mono_s() - start < 0.5);
    buf_release(&text);
}

static void
large_files_and_maps_are_refused(void **state)
{
    char *big = calloc(1, YAML_MAX_BYTES + 2);
    struct buf text = {0};

    (void)state;
    memset(big, '#', YAML_MAX_BYTES + 1);
    fails(big, "f: larger than 1024 KiB");
    for (int i = 0; i <= YAML_MAX_KEYS; i++)
        buf_printf(&text, "k%d: 1\n", i);
    fails(buf_str(&text), "f:1001:1: a map of more than 1000 keys");
    buf_release(&text);
    free(big);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_line_and_column),
        cmocka_unit_test(scalars_stay_text),
        cmocka_unit_test(an_empty_file_is_an_empty_map),
        cmocka_unit_test(bad_files_are_refused_at_their_place),
        cmocka_unit_test(deep_nesting_ends_at_the_limit),
        cmocka_unit_test(an_alias_bomb_ends_at_the_limit_at_once),
        cmocka_unit_test(large_files_and_maps_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
