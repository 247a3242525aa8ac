/* data_options.c - one table for both programs that take these options. */
#include "shared/spec/data_options.h"

#define OPT struct data_options

const struct param data_options[DATA_OPTIONS] = {
    PARAM_ROW_STRING(
        OPT, data_dir, "",
        "folder of the data sets; default RELUSWEEP_DATA and usual places"),
    PARAM_ROW_STRING(OPT, corruption, "all", "corrupt: names, separated by commas"),
    PARAM_ROW_STRING(OPT, severity, "all", "corrupt: 1 to 5, separated by commas"),
    PARAM_ROW_STRING(
        OPT, out, "",
        "corrupt: folder to write; default DATASET-c beside the data sets"),
    PARAM_ROW_INT(OPT, images, "0", 0, 1e9,
                  "corrupt: only the first test images, to look at; 0: all"),
    PARAM_ROW_INT(OPT, threads, "0", 0, 1024, "corrupt: 0: one for each core"),
};
const size_t data_options_count = DATA_OPTIONS;
