# the page in a browser; npm's packages stay in the build folder
add_test(NAME web.page COMMAND ${CMAKE_CURRENT_LIST_DIR}/page.sh)
set_tests_properties(web.page PROPERTIES LABELS system TIMEOUT 600 SKIP_RETURN_CODE 77
  ENVIRONMENT "BIN=${PROJECT_BINARY_DIR}/bin;NODE_DIR=${PROJECT_BINARY_DIR}/web-npm")
