# The simulator: the real dispatcher and session, linked against its own sockets, writer,
# clock, log and tables (world.h). It comes first, so that of the libraries only what it
# does not define is taken.
set(sim ${CMAKE_CURRENT_SOURCE_DIR}/sim)
file(GLOB sim_sources CONFIGURE_DEPENDS ${sim}/*.c)
file(GLOB sim_dispatch CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/coordinator/dispatch/*.c)
list(FILTER sim_dispatch EXCLUDE REGEX "/writer\\.c$")
add_library(sim_objects OBJECT ${sim_sources})
add_library(sim_real STATIC ${sim_dispatch} ${PROJECT_SOURCE_DIR}/worker/agent/session.c
  ${PROJECT_SOURCE_DIR}/worker/agent/session_run.c)
target_link_libraries(sim_objects PUBLIC wire shared PkgConfig::pq)
target_link_libraries(sim_real PUBLIC wire shared PkgConfig::pq)

add_executable(sim $<TARGET_OBJECTS:sim_objects>)
target_link_libraries(sim PRIVATE sim_real wire shared)
add_test(NAME sim.histories COMMAND sim --seeds 100000 --processes 2)
set_tests_properties(sim.histories PROPERTIES LABELS sim TIMEOUT 900 RUN_SERIAL ON)

# sim_fault(NAME FILE FROM TO): the same with one fault planted into a copy of FILE, which
# the simulator must find. A line that is not there any more is a failed test.
function(sim_fault name file from to)
  file(READ ${PROJECT_SOURCE_DIR}/${file} text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
  string(FIND "${text}" "${from}" at)
  if(at EQUAL -1)
    message(WARNING "sim_fault ${name}: ${file} has changed; plant the fault anew")
    add_test(NAME sim.fault.${name} COMMAND ${CMAKE_COMMAND} -E false)
    return()
  endif()
  string(REPLACE "${from}" "${to}" text "${text}")
  get_filename_component(base ${file} NAME)
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/sim_fault/${name}/${base})
  file(CONFIGURE OUTPUT ${copy} CONTENT "${text}" @ONLY)
  add_executable(sim_fault_${name} ${copy}
    $<FILTER:$<TARGET_OBJECTS:sim_objects>,EXCLUDE,/${base}\\.>)
  target_link_libraries(sim_fault_${name} PRIVATE sim_real wire shared)
  target_compile_options(sim_fault_${name} PRIVATE -w) # it is wrong on purpose
  set_target_properties(sim_fault_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/sim_fault)
  add_test(NAME sim.fault.${name} COMMAND sim_fault_${name} --find --seeds 50000)
  set_tests_properties(sim.fault.${name} PROPERTIES LABELS sim TIMEOUT 600)
endfunction()

# what a batch wrote is acknowledged, and was never committed
sim_fault(no_commit coordinator/dispatch/batch.c
  [[const int rc = pg_commit(pg, err);]] [[pg_rollback(pg); const int rc = 0;]])
# a job is granted although somebody else was faster
sim_fault(grant_anyway coordinator/dispatch/op_bulk.c
  [[g->ops[i]->done = out->items[i].done;]]
  [[g->ops[i]->done = out->items[i].done = true;]])
# a job is leased that is not ready any more
sim_fault(lease_anything tests/sim/statements.c
  [[j->state == JOB_READY && j->attempt == leases]] [[j->attempt == leases]])
# two coordinators lead at the same time
sim_fault(no_lock tests/sim/model.c
  [[if (session_lives(server.leader) && server.leader != pg->session)]] [[if (false)]])
# a result overtakes the points before it
sim_fault(early_result worker/agent/session_run.c
  [[r->result_due_ms <= now_ms && r->batches == NULL]] [[r->result_due_ms <= now_ms]])
# a checkpoint overtakes the points before it
sim_fault(early_checkpoint worker/agent/session_run.c
  [[r->checkpoint_due_ms <= now_ms && checkpoint_may_leave(r)]] [[r->checkpoint_due_ms <= now_ms]])
# points that were not acknowledged die with the agent
sim_fault(lost_points tests/sim/worker.c [[restore_points(w, r);]] [[(void)restore_points;]])
# a GRANT that was lost is never missed
sim_fault(lost_grant worker/agent/session.c
  [[if (find_run(s, run) != NULL)
            continue;]] [[continue;]])
# a READY that was lost is never repeated
sim_fault(lost_ready worker/agent/session.c
  [[s->ready_due_ms = now_ms + moment_later(RESEND_MS, s->heartbeat_ms);]]
  [[s->ready_due_ms = INT64_MAX;]])
# points that come twice are written twice
sim_fault(double_points coordinator/dispatch/op.c
  [[if (last >= 0) {]] [[if (false) {]])
# after a lost connection the queue is not read again
sim_fault(no_sync coordinator/dispatch/task.c
  [[d->must_sync = d->must_cancel = true;]] [[d->must_sync = d->epoch == 0;]])
# jobs that run are not counted against their limit
sim_fault(over_limit coordinator/dispatch/core.c
  [[queue_count_running(core->ready, class, 1);
    idmap_put]] [[idmap_put]])
# a job is given to a worker that has not what it needs
sim_fault(wrong_worker coordinator/dispatch/needs.c
  [[return has_all_words(w->labels, c->labels) ? NULL : "labels";]] [[return NULL;]])
# a paused job that is stopped goes on by itself
sim_fault(lost_hold coordinator/dispatch/retry.c
  [[if (h->hold && ]] [[if (false && ]])
