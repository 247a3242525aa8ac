/* Every verb has its file, its row and what the help needs. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/cli/cmd.h"

static size_t
count_files(void)
{
    DIR *dir = opendir(CLI_FOLDER);
    const struct dirent *entry;
    size_t n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const size_t length = strlen(entry->d_name);
        n += strncmp(entry->d_name, "cmd_", 4) == 0
             && strcmp(entry->d_name + length - 2, ".c") == 0;
    }
    closedir(dir);
    return n;
}

static void
every_file_has_a_row_in_the_registry(void **state)
{
    size_t n = 0;

    (void)state;
    while (cmds[n] != NULL)
        n++;
    assert_int_equal(n, count_files());
}

static void
every_verb_tells_what_it_does(void **state)
{
    (void)state;
    for (const struct cmd *const *c = cmds; *c != NULL; c++) {
        assert_ptr_equal(cmd_find((*c)->name), *c);
        assert_true(strlen((*c)->doc) > 10);
        assert_non_null((*c)->usage);
        assert_non_null((*c)->group);
        assert_non_null((*c)->run);
        if ((*c)->min_words > 0)
            assert_true(strlen((*c)->usage) > 0);
    }
    assert_null(cmd_find("plam"));
}

static void
every_default_can_be_read(void **state)
{
    (void)state;
    for (const struct cmd *const *c = cmds; *c != NULL; c++) {
        for (size_t i = 0; i < (*c)->n_params; i++) {
            const struct param *p = &(*c)->params[i];
            struct err err = {0};
            json_t *value = NULL;
            assert_true(p->dflt == NULL || param_read(&value, p, p->dflt, &err) == 0);
            assert_true(p->doc != NULL && p->offset < (*c)->config_size);
            json_decref(value);
        }
    }
}

static void
errors_have_the_exit_codes_of_the_design(void **state)
{
    (void)state;
    assert_int_equal(exit_code_of(ERR_USAGE), 2);
    assert_int_equal(exit_code_of(ERR_DB), 3);
    assert_int_equal(exit_code_of(ERR_NET), 3);
    assert_int_equal(exit_code_of(ERR_REFUSED), 4);
    assert_int_equal(exit_code_of(ERR_STOPPED), 130);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_has_a_row_in_the_registry),
        cmocka_unit_test(every_verb_tells_what_it_does),
        cmocka_unit_test(every_default_can_be_read),
        cmocka_unit_test(errors_have_the_exit_codes_of_the_design),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
