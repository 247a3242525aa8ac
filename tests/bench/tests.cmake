# Convolutions one by one, by hand: build/.../tests/conv_bench [MODEL [SIZE [SECONDS]]]
add_executable(conv_bench ${CMAKE_CURRENT_SOURCE_DIR}/bench/conv_bench.c)
target_link_libraries(conv_bench PRIVATE worker_core)
target_link_options(conv_bench PRIVATE -Wl,--wrap=conv_kernel_find)

# The benchmark itself is run by hand; here only that both of its sides still run.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON AND TARGET relusweep-worker)
  add_test(NAME bench.compare COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_SOURCE_DIR}/bench/compare.py $<TARGET_FILE:relusweep-worker>
    --stages finetune --batch 8 --rounds 1 --seconds 0.1)
  set_tests_properties(bench.compare PROPERTIES LABELS system TIMEOUT 120
    SKIP_RETURN_CODE 77)
endif()
