add_library(report_fixture STATIC ${CMAKE_CURRENT_LIST_DIR}/fixture.c)
target_link_libraries(report_fixture PUBLIC coordinator_report cmocka)
target_compile_definitions(report_fixture PUBLIC
  REPORT_FIXTURES="${CMAKE_CURRENT_LIST_DIR}"
  REPORT_SOURCES="${PROJECT_SOURCE_DIR}/coordinator/report")
foreach(name aggregate build escape grid hypervolume models number pareto plot published
    scale svg write)
  relusweep_test(coordinator/report/${name}_test LINK report_fixture)
endforeach()
