add_library(fake_stage STATIC ${CMAKE_CURRENT_SOURCE_DIR}/worker/agent/fake_stage.c)
target_link_libraries(fake_stage PUBLIC shared)
relusweep_test(worker/agent/agent_test LINK worker_agent fake_stage test_support)
