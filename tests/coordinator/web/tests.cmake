foreach(name request guard filter eta cache)
  relusweep_test(coordinator/web/${name}_test LINK coordinator_web test_support)
endforeach()
relusweep_test(coordinator/web/webreads_test LABEL db LINK test_support coordinator_web)
