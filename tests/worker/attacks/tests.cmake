relusweep_test(worker/attacks/attack_test LINK test_small_net)

# Skips with a message where PyTorch is not installed.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
add_executable(attack_dump ${CMAKE_CURRENT_SOURCE_DIR}/worker/attacks/attack_dump.c)
target_link_libraries(attack_dump PRIVATE test_small_net cmocka)
if(SYSTEM_PYTHON)
  add_test(NAME worker.attacks.attack_torch COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_SOURCE_DIR}/worker/attacks/attack_torch.py $<TARGET_FILE:attack_dump>)
  set_tests_properties(worker.attacks.attack_torch PROPERTIES LABELS unit TIMEOUT 300
    SKIP_RETURN_CODE 77)
endif()
