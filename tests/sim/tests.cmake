# The simulator: the real dispatcher and session, linked against its own sockets, writer,
# clock, log and tables (world.h). It comes first, so that of the libraries only what it
# does not define is taken.
set(sim ${CMAKE_CURRENT_SOURCE_DIR}/sim)
file(GLOB sim_sources CONFIGURE_DEPENDS ${sim}/*.c)
file(GLOB sim_dispatch CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/coordinator/dispatch/*.c)
list(FILTER sim_dispatch EXCLUDE REGEX "/writer\\.c$")
set(sim_real ${sim_dispatch} ${PROJECT_SOURCE_DIR}/worker/agent/session.c
  ${PROJECT_SOURCE_DIR}/worker/agent/session_run.c)
add_library(sim_objects OBJECT ${sim_sources})
add_library(sim_real STATIC ${sim_real})
target_link_libraries(sim_objects PUBLIC wire shared PkgConfig::pq)
target_link_libraries(sim_real PUBLIC wire shared PkgConfig::pq)
add_executable(sim)
target_link_libraries(sim PRIVATE sim_objects sim_real wire shared)
