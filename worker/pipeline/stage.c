/* stage.c - what every stage needs of its process: input paths and the wish to stop. */
#include "worker/pipeline/stage.h"

#include <signal.h>

#include "shared/base/mem.h"

static volatile sig_atomic_t stop_wanted;

static void
on_stop(int signal_number)
{
    (void)signal_number;
    stop_wanted = 1;
}

void
stage_catch_stop_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

bool
stage_stop_wanted(void)
{
    return stop_wanted != 0;
}

char *
stage_input_path(const struct stage_context *ctx, const char *stage,
                 const char *artifact)
{
    return xasprintf("%s/inputs/%s.%s", ctx->dir, stage, artifact);
}
