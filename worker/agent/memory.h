#ifndef WORKER_AGENT_MEMORY_H
#define WORKER_AGENT_MEMORY_H

#include <stdint.h>

/* Memory that this process and its children may use: of the machine, or of the control
 * group when that is less. 0: not known. */
int64_t memory_bytes(void);

/* How often the kernel has killed a process of our control group for want of memory (of
 * the machine where there is no such count); -1: not known. When it has grown, a process
 * of ours that was killed meanwhile was killed for that. */
int64_t memory_kills(void);

#endif
