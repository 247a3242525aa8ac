# A model of lease, fence and failover, checked exhaustively.
add_test(NAME spin.lease COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/spin/check.sh)
set_tests_properties(spin.lease PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 600)
