foreach(name rng team plan graph backend net threads profile)
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
