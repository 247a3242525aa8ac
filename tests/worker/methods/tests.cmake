relusweep_test(worker/methods/methods_test LINK worker_core)
target_compile_definitions(worker.methods.methods_test PRIVATE
  SOURCE_DIR="${PROJECT_SOURCE_DIR}")
