foreach(name rng team plan graph backend net threads)
  relusweep_test(worker/engine/${name}_test LINK engine test_support)
endforeach()
foreach(name conv norm simple registry)
  relusweep_test(worker/engine/ops/${name}_test LINK engine test_support)
endforeach()
relusweep_test(worker/engine/optim/sgd_test LINK engine test_support)

# the names of the files that hold an op, for the test of the registry
file(GLOB op_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/worker/engine/ops/*.c)
list(TRANSFORM op_files REPLACE ".*/([a-z_]+)\\.c" "\"\\1\"")
list(REMOVE_ITEM op_files "\"op\"" "\"registry\"")
list(JOIN op_files "," op_files)
target_compile_definitions(worker.engine.ops.registry_test PRIVATE "OP_FILES=${op_files}")
