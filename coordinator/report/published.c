/*
 * published.c - other people's numbers. Invariant: a value is never without its paper
 * and table. Does not know what is drawn or compared.
 */
#include "coordinator/report/published.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 10 };
static const char header[] =
    "paper,table,dataset,model,method,state,relu_k,ablation,metric,value";

/* ---- names ----------------------------------------------------------------------- */

struct name {
    const char *theirs, *ours;
};

static const struct name datasets[] = {{"CIFAR-10", "cifar10"},
                                       {"CIFAR-100", "cifar100"},
                                       {"Tiny-ImageNet", "tiny-imagenet"},
                                       {NULL, NULL}};
static const struct name models[] = {{"ResNet18", "resnet18"},
                                     {"ResNet34", "resnet34"},
                                     {"WRN-22-8", "wrn-22-8"},
                                     {NULL, NULL}};
static const struct name metrics[] = {
    {"CA", "CA"},   {"accuracy", "CA"},    {"NPA", "NPA"},
    {"mCE", "mCE"}, {"AdvA_PGD7", "AdvA"}, {"ReLU_reduction_x", "saving"},
    {NULL, NULL}};
static const struct name methods[] = {{"RLNet", "rlnet"},
                                      {"SENet", "senet"},
                                      {"SENet(w/o GB)", "senet"},
                                      {"GB", "shallow"},
                                      {"GB, final classifier", "shallow"},
                                      {"SNL", "snl"},
                                      {"BCD", "bcd"},
                                      {"AutoReP", "autorep"},
                                      {NULL, NULL}};
static const struct name citations[] = {
    {"RLNet_CVPRW2024", "Sarkar, Kundu, Beerel: RLNet, CVPRW 2024"},
    {"Shallow_CVPRW2023", "Kundu et al.: Making Models Shallow Again, CVPRW 2023"},
    {"BCD_AAAI",
     "Rakhlin, Jevnisek, Avidan: Coordinate Descent for Network Linearization, AAAI"},
    {"extra_SNL_logs_in_BCD_repo", "SNL runs, logs in the BCD authors' repository"},
    {"extra_plot_scripts_in_BCD_repo", "plot scripts in the BCD authors' repository"},
    {"extra_AutoReP_abstract", "Peng et al.: AutoReP, ICCV 2023, abstract"},
    {NULL, NULL}};

#define TABLE_CURVE(key, label, paper, tables, method, citation)  \
    {                                                             \
        key, label, paper, tables, method, citation, false, false \
    }

const struct published_curve published_curves[] = {
    TABLE_CURVE("rlnet", "RLNet", "RLNet_CVPRW2024", "1", "RLNet",
                "RLNet paper, Table 1"),
    TABLE_CURVE("senet", "SENet", "RLNet_CVPRW2024", "1", "SENet",
                "RLNet paper, Table 1"),
    TABLE_CURVE("shallow", "Shallow", "Shallow_CVPRW2023", "1", "GB",
                "Shallow paper, Table 1"),
    TABLE_CURVE("bcd", "BCD", "BCD_AAAI", "2 3", "BCD", "BCD paper, Tables 2, 3"),
    TABLE_CURVE("snl", "SNL", "BCD_AAAI", "2 3", "SNL", "BCD paper, Tables 2, 3"),
    {"autorep", "AutoReP", "extra_AutoReP_abstract", "abstract", "AutoReP",
     "AutoReP abstract, network not stated", false, true},
    {"snl-logs", "SNL (logs)", "extra_SNL_logs_in_BCD_repo", "log", "SNL",
     "logs of the BCD authors, in no table", true, false},
    {"snl-plot", "SNL (plot)", "extra_plot_scripts_in_BCD_repo", "plot", "SNL",
     "plot script of the BCD authors, in no table", true, false},
    {"deepreduce", "DeepReDuce", "extra_plot_scripts_in_BCD_repo", "plot", "DeepReDuce",
     "plot script of the BCD authors, other networks", true, true},
    {"sphynx", "Sphynx", "extra_plot_scripts_in_BCD_repo", "plot", "Sphynx",
     "plot script of the BCD authors, other networks", true, true},
    {NULL, NULL, NULL, NULL, NULL, NULL, false, false},
};

static const char *
ours(const struct name *names, const char *theirs)
{
    for (; names->theirs != NULL; names++)
        if (strcmp(names->theirs, theirs) == 0)
            return names->ours;
    return NULL;
}

const char *
published_citation(const char *paper)
{
    const char *known = ours(citations, paper);

    return known != NULL ? known : paper;
}

/* Their mCE is a share of 1; on Tiny-ImageNet both are relative to a baseline. */
static void
set_our_metric(struct published_row *row)
{
    row->our_metric = ours(metrics, row->metric);
    row->our_value = row->value;
    if (row->our_metric != NULL && strcmp(row->our_metric, "mCE") == 0)
        row->our_value = 100 * row->value;
}

static void
set_our_names(struct published_row *row)
{
    char *end;
    const double thousands = strtod(row->relu_k, &end);

    row->our_dataset = ours(datasets, row->dataset);
    row->our_model = ours(models, row->model);
    row->our_method = ours(methods, row->method);
    row->relus = end != row->relu_k && *end == '\0' ? 1000 * thousands : (double)NAN;
    set_our_metric(row);
}

/* ---- reading --------------------------------------------------------------------- */

/* The field at *at, unquoted, and *at after its comma or at the end of the line. */
static const char *
field(struct published *p, const char **at)
{
    const bool quoted = **at == '"';
    const char *from = *at + quoted;
    char *out = arena_alloc(&p->mem, strcspn(*at, "\n") + 1), *end = out;

    for (*at = from; **at != '\0'; ++*at) {
        if (quoted && (*at)[0] == '"' && (*at)[1] != '"')
            break;
        if (!quoted && strchr(",\n", **at) != NULL)
            break;
        if (quoted && **at == '"')
            ++*at;
        *end++ = **at;
    }
    *at += quoted && **at == '"';
    *at += **at == ',';
    return out;
}

/* One line; 0 when its value is a number and nothing is left over. */
static int
read_row(struct published *p, const char **at)
{
    const char *fields[COLUMNS];
    char *end;

    for (int i = 0; i < COLUMNS; i++)
        fields[i] = field(p, at);
    p->rows = xgrow(p->rows, &p->capacity, p->n + 1, sizeof *p->rows);
    struct published_row *row = &p->rows[p->n++];
    *row = (struct published_row){
        .paper = fields[0],
        .table = fields[1],
        .dataset = fields[2],
        .model = fields[3],
        .method = fields[4],
        .state = fields[5],
        .relu_k = fields[6],
        .ablation = fields[7],
        .metric = fields[8],
        .value = strtod(fields[9], &end),
    };
    set_our_names(row);
    return end != fields[9] && *end == '\0' && **at == '\n' ? 0 : -1;
}

static int
read_file(struct published *p, const struct published_file *file, struct err *err)
{
    const char *at = file->text;
    int line = 2;

    if (strncmp(at, header, sizeof header - 1) != 0 || at[sizeof header - 1] != '\n')
        return err_set(err, ERR_BUG, "published %s: line 1 is not `%s`", file->name,
                       header);
    at += sizeof header;
    for (; *at != '\0'; at++, line++)
        if (read_row(p, &at) != 0)
            return err_set(err, ERR_BUG, "published %s:%d: not a row of %d fields",
                           file->name, line, COLUMNS);
    return 0;
}

int
published_init(struct published *p, struct err *err)
{
    *p = (struct published){0};
    for (const struct published_file *f = published_files; f->name != NULL; f++)
        if (read_file(p, f, err) != 0)
            return -1;
    return 0;
}

void
published_release(struct published *p)
{
    free(p->rows);
    arena_release(&p->mem);
    *p = (struct published){0};
}

/* ---- curves ---------------------------------------------------------------------- */

/* True when `word` is one of the words of `list`, which have a space between them. */
static bool
is_in(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

static bool
is_same(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

bool
published_is_on(const struct published_row *row, const struct published_curve *curve,
                const char *dataset, const char *model, const char *metric)
{
    return strcmp(row->paper, curve->paper) == 0 && is_in(curve->tables, row->table)
           && strcmp(row->method, curve->method) == 0 && strcmp(row->state, "PR") == 0
           && is_same(row->our_dataset, dataset) && is_same(row->our_metric, metric)
           && (curve->any_model || is_same(row->our_model, model))
           && !isnan(row->relus);
}
