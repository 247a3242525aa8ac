add_library(test_small_net STATIC ${CMAKE_CURRENT_LIST_DIR}/small_net.c)
target_link_libraries(test_small_net PUBLIC worker_core cmocka)
relusweep_test(worker/models/model_test LINK test_small_net)
relusweep_test(worker/models/layer_budgets_test LINK worker_core)
