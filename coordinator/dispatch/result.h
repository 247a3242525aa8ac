#ifndef COORDINATOR_DISPATCH_RESULT_H
#define COORDINATOR_DISPATCH_RESULT_H

#include "shared/base/mem.h"
#include "shared/wire/msg.h"

/*
 * Looks at a RESULT whose outcome is "ok". Returns NULL when reports and other jobs can
 * build on it; else a RESULT that says what is wrong with it: outcome "numeric" for a
 * final metric that is NaN or infinite, "data" for names that are not allowed or given
 * twice. It lives in `mem`, and its run and times are those of m. Pure.
 */
const struct msg *result_fault(const struct msg_result *m, struct arena *mem);

/* The result as one of another outcome, an error kind or "contract", with this text; it
 * lives in `mem`, the words with their owner. */
const struct msg *result_as_failure(const struct msg_result *m, const char *outcome,
                                    const char *text, struct arena *mem);

#endif
