# The benchmark itself is run by hand; here only that both of its sides still run.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON AND TARGET relusweep-worker)
  add_test(NAME bench.compare COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_SOURCE_DIR}/bench/compare.py $<TARGET_FILE:relusweep-worker>
    --stages finetune --batch 8 --rounds 1 --seconds 0.1)
  set_tests_properties(bench.compare PROPERTIES LABELS system TIMEOUT 120
    SKIP_RETURN_CODE 77)
endif()
