foreach(name job_state retry heap idmap core)
  relusweep_test(coordinator/dispatch/${name}_test LINK coordinator_core test_support)
endforeach()
relusweep_test(coordinator/dispatch/fence_test LABEL db LINK coordinator_core test_support)
# drives the real program over its sockets
relusweep_test(coordinator/dispatch/coordinator_test LABEL system
  LINK coordinator_core test_support)
add_dependencies(coordinator.dispatch.coordinator_test relusweep-coordinator)
set_tests_properties(coordinator.dispatch.coordinator_test PROPERTIES
  ENVIRONMENT COORDINATOR=${PROJECT_BINARY_DIR}/bin/relusweep-coordinator)
