/*
 * model_export.c - a model as safetensors or ONNX, with a card. A model that does not
 * load here is not handed on.
 */
#include "worker/pipeline/model_export.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"
#include "worker/attacks/attack.h"
#include "worker/pipeline/model_card.h"
#include "worker/pipeline/model_loaded.h"
#include "worker/pipeline/onnx.h"

static const char *const formats[] = {"safetensors", "onnx", NULL};

const struct param model_export_params[] = {
    PARAM_ROW_STRING(struct model_export_config, model, NULL, "file of the model"),
    PARAM_ROW_CHOICE(struct model_export_config, format, NULL, formats,
                     "what to write"),
    PARAM_ROW_CHOICE(struct model_export_config, path, "clean", attack_side_names,
                     "which batch norms an ONNX file has"),
    PARAM_ROW_STRING(struct model_export_config, about, "",
                     "JSON file whose members the card gets too"),
    PARAM_ROW_STRING(struct model_export_config, out, NULL,
                     "file to write; the card is this with .json"),
};
const size_t model_export_n_params = PARAM_COUNT(model_export_params);

static int
write_onnx(const struct model_export_config *c, struct model_loaded *m, json_t *card,
           struct err *err)
{
    const bool adv = strcmp(c->path, attack_side_names[ATTACK_SIDE_ADV]) == 0;

    json_object_set_new(card, "path", json_string(c->path));
    json_object_set_new(card, "opset", json_integer(ONNX_OPSET));
    return onnx_save(m->net, adv ? m->info.bn_paths - 1 : 0, m->info.model, c->out,
                     err);
}

static int
write_safetensors(const struct model_export_config *c, struct err *err)
{
    struct buf bytes = {0};

    int rc = file_read(&bytes, c->model, err);
    if (rc == 0)
        rc = file_write(c->out, bytes.data, bytes.len, err);
    buf_release(&bytes);
    return rc;
}

static int
write_card(const struct model_export_config *c, json_t *card, struct err *err)
{
    struct sha256 digest;
    size_t size;

    if (sha256_file(&digest, &size, c->out, err) != 0)
        return -1;
    json_object_set_new(card, "format", json_string(c->format));
    json_object_set_new(card, "file_sha256", json_string(digest.hex));
    char *path = xasprintf("%s.json", c->out);
    const int rc = json_save(card, path, err);
    free(path);
    return rc;
}

/* The card begins with what `about` says, which cannot overrule the model. */
static int
begin_card(json_t **card, const struct model_export_config *c, struct model_loaded *m,
           struct err *err)
{
    *card = model_card(m->net, &m->info, &m->data);
    if (c->about[0] == '\0')
        return 0;
    json_t *about;
    if (json_load(&about, c->about, err) != 0)
        return -1;
    json_object_update_missing(*card, about);
    json_decref(about);
    return 0;
}

int
model_export(const struct model_export_config *c, struct err *err)
{
    struct model_loaded m;
    json_t *card = NULL;

    int rc = model_loaded_open(&m, c->model, err);
    if (rc == 0)
        rc = begin_card(&card, c, &m, err);
    if (rc == 0)
        rc = strcmp(c->format, "onnx") == 0 ? write_onnx(c, &m, card, err)
                                            : write_safetensors(c, err);
    if (rc == 0)
        rc = write_card(c, card, err);
    json_decref(card);
    model_loaded_release(&m);
    return rc == 0 ? 0 : err_wrap(err, "export");
}
