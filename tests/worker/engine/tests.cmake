foreach(name rng team plan graph backend net net_memory threads profile)
  relusweep_test(worker/engine/${name}_test LINK engine test_support)
endforeach()
foreach(name conv wide_conv norm simple registry)
  relusweep_test(worker/engine/ops/${name}_test LINK engine test_support)
endforeach()
relusweep_test(worker/engine/cpu/maps_test LINK engine test_support)
relusweep_test(worker/engine/cpu/conv_kernel_test LINK engine test_support)
relusweep_test(worker/engine/cpu/wino_test LINK engine test_support)
relusweep_test(worker/engine/optim/sgd_test LINK engine test_support)

# the names of the files that hold an op, for the test of the registry
file(GLOB op_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/worker/engine/ops/*.c)
list(TRANSFORM op_files REPLACE ".*/([a-z_]+)\\.c" "\"\\1\"")
list(REMOVE_ITEM op_files "\"op\"" "\"registry\"")
list(JOIN op_files "," op_files)
target_compile_definitions(worker.engine.ops.registry_test PRIVATE "OP_FILES=${op_files}")

add_test(NAME worker.engine.aarch64
  COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/aarch64.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(worker.engine.aarch64 PROPERTIES LABELS system TIMEOUT 120
  SKIP_RETURN_CODE 77)

# The same tests of an engine without oneDNN, made of the objects that do not know it...
add_library(engine_plain STATIC ${PROJECT_SOURCE_DIR}/worker/engine/backend.c
  "$<FILTER:$<TARGET_OBJECTS:engine>,EXCLUDE,/(dnnl[a-z_]*|backend)\\.c\\.o$>")
target_link_libraries(engine_plain PUBLIC shared PkgConfig::openblas Threads::Threads m)
target_compile_definitions(engine_plain PUBLIC RELUSWEEP_DNNL=0)
foreach(name backend net net_memory ops/conv ops/wide_conv ops/norm)
  string(REPLACE "/" "." test worker.engine.plain.${name}_test)
  add_executable(${test} ${CMAKE_CURRENT_LIST_DIR}/${name}_test.c)
  target_link_libraries(${test} PRIVATE engine_plain test_support cmocka)
  add_test(NAME ${test} COMMAND ${test})
  set_tests_properties(${test} PROPERTIES LABELS unit TIMEOUT 300)
endforeach()
# ... and of the libraries' code for other processors than this one
foreach(name net net_memory ops.conv ops.wide_conv)
  add_test(NAME worker.engine.avx2.${name}_test COMMAND worker.engine.${name}_test)
  set_tests_properties(worker.engine.avx2.${name}_test PROPERTIES LABELS unit TIMEOUT 300
    ENVIRONMENT "DNNL_MAX_CPU_ISA=AVX2;OPENBLAS_CORETYPE=Haswell")
  add_test(NAME worker.engine.sse41.${name}_test COMMAND worker.engine.${name}_test)
  set_tests_properties(worker.engine.sse41.${name}_test PROPERTIES LABELS unit TIMEOUT 300
    ENVIRONMENT "DNNL_MAX_CPU_ISA=SSE41;OPENBLAS_CORETYPE=Nehalem")
endforeach()
