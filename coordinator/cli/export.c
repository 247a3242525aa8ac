/* export.c - the formats of `relusweep export`, one line each. */
#include "coordinator/cli/export.h"

#include <stddef.h>
#include <string.h>

#include "coordinator/cli/export_metrics.h"
#include "coordinator/cli/export_model.h"

/* name, how the default file or folder ends, function, sentence */
#define FORMATS(X)                                                                     \
    X(csv, "csv", export_csv, "folder with finals.csv and curves.csv")                 \
    X(jsonl, "jobs.jsonl", export_jsonl, "file of JSON lines, a job with all on each") \
    X(tensorboard, "tensorboard", export_tensorboard, "folder of event files")         \
    X(mlflow, "mlruns", export_mlflow, "MLflow file store, an experiment")             \
    X(safetensors, "model.safetensors", export_safetensors,                            \
      "a job's model, and a card")                                                     \
    X(onnx, "model.onnx", export_onnx, "a job's model for inference, and a card")

#define ENTRY(id, ending, function, sentence) {#id, sentence, ending, function},
static const struct export_format formats[] = {FORMATS(ENTRY)};

#define LABEL(id, ending, function, sentence) #id,
const char *const export_names[] = {FORMATS(LABEL) NULL};

const struct export_format *
export_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
