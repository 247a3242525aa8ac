relusweep_test(coordinator/store/bulk_test LABEL db LINK test_support coordinator_core)
