# a stage's folder and process, for the tests that run whole stages
add_library(stage_folder STATIC ${CMAKE_CURRENT_SOURCE_DIR}/worker/pipeline/stage_folder.c)
target_link_libraries(stage_folder PUBLIC worker_core)

relusweep_test(worker/pipeline/step_test LINK test_small_net)
relusweep_test(worker/pipeline/trace_test LINK test_small_net)
relusweep_test(worker/pipeline/network_test LINK worker_core)
relusweep_test(worker/pipeline/bench_test LINK worker_core)
relusweep_test(worker/pipeline/safetensors_test LINK worker_core)
relusweep_test(worker/pipeline/chain_test LABEL system LINK stage_folder)
relusweep_test(worker/pipeline/resume_test LABEL system LINK stage_folder)
relusweep_test(worker/pipeline/resume_large_test LABEL system LINK stage_folder)
relusweep_test(worker/pipeline/exact_test LABEL system LINK test_small_net)
relusweep_test(worker/pipeline/schedule_test LINK worker_core)
relusweep_test(worker/pipeline/mask_rule_test LINK worker_core)
relusweep_test(worker/pipeline/sparse_test LINK test_small_net)
relusweep_test(worker/pipeline/checkpoint_test LINK worker_core)
relusweep_test(worker/pipeline/model_file_test LINK worker_core)
relusweep_test(worker/pipeline/tally_test LINK worker_core)
relusweep_test(worker/pipeline/protobuf_test LINK worker_core)
relusweep_test(worker/pipeline/eval_test LINK worker_core)
relusweep_test(worker/pipeline/evaluate_test LABEL system LINK stage_folder)

add_test(NAME worker.pipeline.worker_test
  COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/worker/pipeline/worker_test.sh
    $<TARGET_FILE:relusweep-worker>)
set_tests_properties(worker.pipeline.worker_test PROPERTIES LABELS system TIMEOUT 300)

# Skips with a message where PyTorch is not installed.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON AND TARGET relusweep-worker)
  add_test(NAME worker.pipeline.trace_torch COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_SOURCE_DIR}/worker/pipeline/trace_torch.py
    $<TARGET_FILE:relusweep-worker>)
  set_tests_properties(worker.pipeline.trace_torch PROPERTIES LABELS system TIMEOUT 300
    SKIP_RETURN_CODE 77 ENVIRONMENT "BACKENDS=blas$<$<BOOL:${RELUSWEEP_DNNL}>: dnnl>")

  add_executable(model_dump ${CMAKE_CURRENT_SOURCE_DIR}/worker/pipeline/model_dump.c)
  target_link_libraries(model_dump PRIVATE test_small_net cmocka)
  add_test(NAME worker.pipeline.interchange_torch COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_SOURCE_DIR}/worker/pipeline/interchange_torch.py
    $<TARGET_FILE:relusweep-worker> $<TARGET_FILE:model_dump> ${PROJECT_SOURCE_DIR}/README.md)
  set_tests_properties(worker.pipeline.interchange_torch PROPERTIES LABELS system TIMEOUT 300
    SKIP_RETURN_CODE 77)
endif()
