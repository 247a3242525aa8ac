#ifndef TESTS_WORKER_AGENT_FAKE_STAGE_H
#define TESTS_WORKER_AGENT_FAKE_STAGE_H

/*
 * A small stage: does what "params"."do" of DIR/spec.json says, a list of words
 * separated by spaces, then exits.
 *
 *   start  progress  metrics  checkpoint  log  model  copy-input  result
 *   error  crash  exit-7  garbage  hang (until SIGTERM: checkpoint, "stopped")
 *   deaf (hangs and ignores SIGTERM)  resume (metric "resumed" = bytes of the file)
 */
int fake_stage(const char *dir);

#endif
