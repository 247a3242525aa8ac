# Shell tests that start the real programs, each with a state folder of its own. They may
# run side by side, but for the one that counts on the machine's time.
add_executable(forgetful_worker ${PROJECT_SOURCE_DIR}/worker/main.c
  ${CMAKE_CURRENT_SOURCE_DIR}/system/forgetful.c)
target_link_libraries(forgetful_worker PRIVATE worker_agent worker_core)
target_link_options(forgetful_worker PRIVATE -Wl,--wrap=events_result_artifact)
foreach(test 10-run 20-kill 30-bad-input 35-contract 40-chaos 45-crash 50-user 55-terminal 60-sweeps 70-models 80-keys 85-control 87-netns 88-leader)
  add_test(NAME system.${test} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/system/${test}.sh)
  set_tests_properties(system.${test} PROPERTIES LABELS system TIMEOUT 900
    ENVIRONMENT "BIN=${PROJECT_BINARY_DIR}/bin;FORGETFUL=$<TARGET_FILE:forgetful_worker>")
endforeach()
# without root or network namespaces it cannot
set_tests_properties(system.87-netns system.88-leader PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(system.40-chaos PROPERTIES RUN_SERIAL ON)
add_test(NAME layering COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/layering.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(layering PROPERTIES LABELS unit)
add_test(NAME shellcheck COMMAND sh -c
  "shellcheck -x -P SCRIPTDIR -e SC2154 quickstart.sh test.sh .ci/run scripts/*.sh tests/*.sh tests/system/*.sh")
set_tests_properties(shellcheck PROPERTIES LABELS unit WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
