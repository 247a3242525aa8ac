# Flags, libraries found on the system, and the two functions that every folder uses.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(lib jansson:jansson zmq:libzmq pq:libpq yaml:yaml-0.1 crypto:libcrypto zlib:zlib
            cairo:cairo jpeg:libjpeg png:libpng openblas:openblas
            event:libevent)
  string(REPLACE ":" ";" pair ${lib})
  list(GET pair 0 name)
  list(GET pair 1 module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
endforeach()

add_library(relusweep_flags INTERFACE)
target_include_directories(relusweep_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(relusweep_flags INTERFACE _GNU_SOURCE)
target_compile_options(relusweep_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wwrite-strings
  -Wpointer-arith -Wcast-align -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough
  -fno-common $<$<BOOL:${RELUSWEEP_WERROR}>:-Werror>
  # clang takes every `double x = NAN` for one; gcc knows constants
  $<$<C_COMPILER_ID:GNU>:-Wdouble-promotion>)
if(RELUSWEEP_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "RELUSWEEP_FUZZ needs -DCMAKE_C_COMPILER=clang")
  endif()
  set(RELUSWEEP_SANITIZE fuzzer-no-link,address,undefined)
endif()
if(RELUSWEEP_SANITIZE)
  target_compile_options(relusweep_flags INTERFACE
    -fsanitize=${RELUSWEEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(relusweep_flags INTERFACE -fsanitize=${RELUSWEEP_SANITIZE})
endif()

# relusweep_library(name LINK ...): a static library of every .c in this folder and the
# named subfolders; headers are checked to be self-contained.
function(relusweep_library name)
  cmake_parse_arguments(A "" "" "FOLDERS;EXCLUDE;LINK" ${ARGN})
  if(NOT A_FOLDERS)
    set(A_FOLDERS .)
  endif()
  set(sources)
  set(headers)
  foreach(folder ${A_FOLDERS})
    file(GLOB s CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c)
    file(GLOB h CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.h)
    list(APPEND sources ${s})
    list(APPEND headers ${h})
  endforeach()
  foreach(skip ${A_EXCLUDE})
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${skip})
    list(REMOVE_ITEM headers ${CMAKE_CURRENT_SOURCE_DIR}/${skip})
  endforeach()
  if(NOT sources)
    list(APPEND sources ${PROJECT_SOURCE_DIR}/cmake/empty.c)
  endif()
  add_library(${name} STATIC ${sources})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
  target_link_libraries(${name} PUBLIC relusweep_flags ${A_LINK})
endfunction()

# relusweep_program(name SOURCE LINK ...)
function(relusweep_program name source)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${A_LINK})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()

# relusweep_test(folder/name_test LABEL unit LINK ...): one cmocka program
function(relusweep_test path)
  cmake_parse_arguments(A "" "LABEL" "LINK" ${ARGN})
  if(NOT A_LABEL)
    set(A_LABEL unit)
  endif()
  string(REPLACE "/" "." name ${path})
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${path}.c)
  target_link_libraries(${name} PRIVATE ${A_LINK} cmocka)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT 300)
endfunction()
