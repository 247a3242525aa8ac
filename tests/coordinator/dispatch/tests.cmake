foreach(name job_state retry heap idmap queue roster core session)
  relusweep_test(coordinator/dispatch/${name}_test LINK coordinator_core test_support)
endforeach()
relusweep_test(coordinator/dispatch/fence_test LABEL db LINK test_support coordinator_core)
# these drive the real program over its sockets
add_library(fake_worker STATIC ${CMAKE_CURRENT_SOURCE_DIR}/coordinator/dispatch/fake_worker.c)
target_link_libraries(fake_worker PUBLIC coordinator_core test_support cmocka)
foreach(name coordinator attack)
  relusweep_test(coordinator/dispatch/${name}_test LABEL system LINK fake_worker)
  add_dependencies(coordinator.dispatch.${name}_test relusweep-coordinator)
  set_tests_properties(coordinator.dispatch.${name}_test PROPERTIES
    ENVIRONMENT COORDINATOR=${PROJECT_BINARY_DIR}/bin/relusweep-coordinator)
endforeach()
relusweep_test(coordinator/dispatch/result_test LINK coordinator_core test_support)
