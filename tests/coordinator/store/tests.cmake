relusweep_test(coordinator/store/bulk_test LABEL db LINK coordinator_core test_support)
