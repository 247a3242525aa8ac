# A step, and the same step shown to another implementation.
relusweep_test(worker/pipeline/step_test LINK test_small_net)
relusweep_test(worker/pipeline/trace_test LINK test_small_net)
relusweep_test(worker/pipeline/bench_test LINK worker_core)

# Skips with a message where PyTorch is not installed.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON AND TARGET relusweep-worker)
  add_test(NAME worker.pipeline.trace_torch COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_LIST_DIR}/../trace_torch.py $<TARGET_FILE:relusweep-worker>)
  set_tests_properties(worker.pipeline.trace_torch PROPERTIES LABELS system TIMEOUT 300
    SKIP_RETURN_CODE 77)
endif()
