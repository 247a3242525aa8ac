relusweep_test(coordinator/db/spread_test LINK coordinator_db test_support)
foreach(name pg notes hot migrate submit people control prune check verified)
  relusweep_test(coordinator/db/${name}_test LABEL db LINK test_support coordinator_db)
endforeach()
relusweep_test(coordinator/db/forms_test LABEL db LINK test_support coordinator_db
               sweep_fixture)
