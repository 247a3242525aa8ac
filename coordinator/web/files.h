#ifndef COORDINATOR_WEB_FILES_H
#define COORDINATOR_WEB_FILES_H

#include "coordinator/web/request.h"
#include "coordinator/web/response.h"

/* Files of static/, which travel inside the program (made at build). */
struct web_file {
    const char *name, *text; /* name NULL: the end */
};
extern const struct web_file web_files[];

/* Answers /static/<name>; false when the request is for something else. */
bool files_answer(const struct request *r, struct response *out);

/* Appends the address of a file with its digest in it, so that it may be kept. */
void files_address(struct buf *out, const char *name);

#endif
