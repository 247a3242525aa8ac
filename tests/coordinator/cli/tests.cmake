foreach(name plan eta page table text progress registry tfevents)
  relusweep_test(coordinator/cli/${name}_test LINK coordinator_cli sweep_fixture)
endforeach()
target_compile_definitions(coordinator.cli.registry_test PRIVATE
  CLI_FOLDER="${PROJECT_SOURCE_DIR}/coordinator/cli")
