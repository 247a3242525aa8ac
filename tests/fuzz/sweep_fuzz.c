/* sweep_fuzz.c - sweep files: whatever the text, an error or cells that make jobs. */
#include "coordinator/sweep/dag.h"
#include "tests/coordinator/sweep/fixture.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_CELLS = 200 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sweep_options options = {.sets = "", .max_cells = MAX_CELLS};
    struct sweep *sweep;
    struct err err;

    if (fixture_catalog.n_methods == 0 && fixture_setup(NULL) != 0)
        return 0;
    if (sweep_parse(&sweep, (const char *)data, size, "fuzz.yaml", &fixture_catalog,
                    &options, &err)
        != 0)
        return 0;
    dag_free(dag_build(sweep));
    sweep_free(sweep);
    return 0;
}
