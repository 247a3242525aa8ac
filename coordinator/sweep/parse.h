#ifndef COORDINATOR_SWEEP_PARSE_H
#define COORDINATOR_SWEEP_PARSE_H

#include "coordinator/sweep/policy.h"
#include "coordinator/sweep/yaml.h"
#include "shared/base/buf.h"
#include "shared/base/json.h"

/*
 * A sweep file with its presets (`base:`) and --set overrides laid over each other, not
 * yet checked against any method: what is said about which key, and where.
 */
enum sweep_entry_kind { ENTRY_FIXED, ENTRY_GRID, ENTRY_SET };

struct sweep_entry {
    enum sweep_entry_kind kind;
    const struct yaml_node *key, *value;
    bool axis; /* stands under `grid`, or stood there before --set */
};

enum report_key {
    REPORT_X,
    REPORT_Y,
    REPORT_GROUP_OVER,
    REPORT_REFERENCE,
    REPORT_KEYS
};

struct sweep_file {
    const struct yaml_node *root;
    const struct yaml_node *name, *title; /* TEXT or NULL */
    struct sweep_entry *entries;          /* each key once, in order of the file */
    size_t n_entries, capacity;
    const struct yaml_node *exclude, *include;   /* LIST of MAPs, or NULL */
    const struct yaml_node *report[REPORT_KEYS]; /* or NULL */
    const struct yaml_node *policy[POLICY_KEYS]; /* or NULL */
    struct buf text;  /* file, then its presets as comments */
    struct arena mem; /* holds all nodes */
};

/* Reads the text of a sweep file and the files that it names as base. */
MUST_CHECK int parse_file(struct sweep_file *out, const char *text, size_t size,
                          const char *path, struct err *err);

/* Lays the lines "key=v1,v2" over the entries; `name=` and `title=` too. */
MUST_CHECK int parse_sets(struct sweep_file *file, const char *sets, struct err *err);

/* The `report:` map with defaults filled in, new reference. */
MUST_CHECK int parse_report(json_t **out, const struct sweep_file *file,
                            struct err *err);

/* Entry of a key, or NULL. */
const struct sweep_entry *parse_entry(const struct sweep_file *file, const char *key);

void parse_release(struct sweep_file *file);

#endif
