add_library(data_fixture STATIC ${CMAKE_CURRENT_LIST_DIR}/pictures.c
  ${CMAKE_CURRENT_LIST_DIR}/folder.c ${CMAKE_CURRENT_LIST_DIR}/jpeg_file.c)
target_link_libraries(data_fixture PUBLIC shared PkgConfig::zlib PkgConfig::jpeg cmocka)
foreach(name pil idx npy picture listing tiny own_sets corrupted dataset cifar fashion_mnist synthetic loader augment/crop_flip augment/augmix
             corrupt/corrupt)
  relusweep_test(worker/data/${name}_test LINK worker_core data_fixture)
endforeach()

# The vectors that pil_test compares with are what Pillow says, where it is installed.
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(SYSTEM_PYTHON)
  add_test(NAME worker.data.pil_vectors COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_LIST_DIR}/pil_vectors.py --check ${CMAKE_CURRENT_LIST_DIR}/pil_vectors.h)
  set_tests_properties(worker.data.pil_vectors PROPERTIES LABELS system TIMEOUT 400
    SKIP_RETURN_CODE 77)
  # the formulas of the corruptions, stated again with SciPy
  add_test(NAME worker.data.corrupt_formulas COMMAND ${SYSTEM_PYTHON}
    ${CMAKE_CURRENT_LIST_DIR}/corrupt_formulas.py $<TARGET_FILE:relusweep-worker>)
  set_tests_properties(worker.data.corrupt_formulas PROPERTIES LABELS system TIMEOUT 400
    SKIP_RETURN_CODE 77)
endif()
