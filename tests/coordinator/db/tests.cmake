foreach(name migrate submit people)
  relusweep_test(coordinator/db/${name}_test LABEL db LINK coordinator_db test_support)
endforeach()
