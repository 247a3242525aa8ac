/* listing_test.c - folders with odd names in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "tests/worker/data/folder.h"
#include "worker/data/listing.h"

static int
setup(void **state)
{
    static const char *const names[] = {"b.jpg",    "a.PNG",      "B.JPEG", "c.txt",
                                        ".d.jpg",   "jpg",        "sub/x",  "e.jpg/x",
                                        "\xff.png", "with \n.png"};
    (void)state;
    folder_init(&folder);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        folder_write(&folder, names[i], "x", 1, 0);
    char *link = file_join(folder.path, "link");
    const int rc = symlink("sub", link);
    free(link);
    return rc;
}

static void
expect_names(enum listing_kind kind, const char *const *names, size_t n)
{
    struct listing l;
    struct err err;

    assert_int_equal(listing_read(&l, folder.path, kind, &err), 0);
    assert_int_equal(l.n, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(l.names[i], names[i]);
    listing_release(&l);
}

static void
pictures_are_files_with_a_pictures_ending_sorted_as_bytes(void **state)
{
    static const char *const names[] = {"B.JPEG", "a.PNG", "b.jpg", "with \n.png",
                                        "\xff.png"};

    (void)state;
    expect_names(LISTING_PICTURES, names, 5);
}

static void
folders_may_be_links_and_have_any_ending(void **state)
{
    static const char *const names[] = {"e.jpg", "link", "sub"};

    (void)state;
    expect_names(LISTING_FOLDERS, names, 3);
}

static void
a_folder_that_is_not_there_is_named(void **state)
{
    struct listing l;
    struct err err;

    (void)state;
    assert_int_equal(listing_read(&l, "/no/such/folder", LISTING_FOLDERS, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "/no/such/folder"));
    listing_release(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_files_with_a_pictures_ending_sorted_as_bytes),
        cmocka_unit_test(folders_may_be_links_and_have_any_ending),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, setup, folder_teardown);
}
