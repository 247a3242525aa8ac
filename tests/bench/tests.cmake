# Convolutions one by one, by hand: build/.../tests/conv_bench [MODEL [SIZE [SECONDS]]]
add_executable(conv_bench ${CMAKE_CURRENT_SOURCE_DIR}/bench/conv_bench.c)
target_link_libraries(conv_bench PRIVATE worker_core)
target_link_options(conv_bench PRIVATE -Wl,--wrap=conv_kernel_find)

# For scale.py, which is run by hand.
add_executable(fleet ${CMAKE_CURRENT_SOURCE_DIR}/bench/fleet.c)
target_link_libraries(fleet PRIVATE wire shared)
if(TARGET worker_agent)
  add_executable(transfer ${CMAKE_CURRENT_SOURCE_DIR}/bench/transfer.c)
  target_link_libraries(transfer PRIVATE worker_agent)
endif()

# The comparison itself is run by hand; here that PyTorch's side computes the right
# numbers, and that both sides still run.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON AND TARGET relusweep-worker)
  set(bench_dir ${CMAKE_CURRENT_SOURCE_DIR}/bench)
  add_test(NAME bench.torch_side COMMAND ${SYSTEM_PYTHON} ${bench_dir}/torch_side.py
    --check)
  add_test(NAME bench.compare COMMAND ${SYSTEM_PYTHON} ${bench_dir}/compare.py
    $<TARGET_FILE:relusweep-worker> --quick --rows resnet10-w8-finetune*,resnet10-w8-eval*)
  add_test(NAME bench.conv COMMAND conv_bench resnet10-w8 16 0)
  add_test(NAME bench.queue COMMAND ${SYSTEM_PYTHON} ${bench_dir}/compare_queue.py
    $<TARGET_FILE_DIR:relusweep> --no-peer --jobs 2000 --runs 1 --latency 10)
  set_tests_properties(bench.queue PROPERTIES LABELS system TIMEOUT 400
    SKIP_RETURN_CODE 77)
  set_tests_properties(bench.torch_side bench.compare PROPERTIES LABELS system
    TIMEOUT 400 SKIP_RETURN_CODE 77)
  set_tests_properties(bench.conv PROPERTIES LABELS system TIMEOUT 120)
endif()
