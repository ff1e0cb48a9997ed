# Installs the build below itself, then builds the installed examples and the installed example plugin
# against the installed package and uses them. cmake -DSOURCE=... -DBUILD=... -DCOMPILER=... -P this
set(work ${BUILD}/installed_package)
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${out}")
  endif()
  set(printed "${out}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
set(documents ${prefix}/share/doc/backtest_caf)
foreach(document README.md LICENSE docs/embedding.md docs/changes.md)
  if(NOT EXISTS ${documents}/${document})
    message(FATAL_ERROR "${document} is not installed in ${documents}")
  endif()
endforeach()
foreach(example examples example_plugin)
  run(${CMAKE_COMMAND} -S ${documents}/tools/${example} -B ${work}/${example} -G Ninja
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH=${prefix})
  run(${CMAKE_COMMAND} --build ${work}/${example})
endforeach()

run(${CMAKE_CTEST_COMMAND} --test-dir ${work}/examples --output-on-failure)
run(${prefix}/bin/backtest list strategies --plugin ${work}/example_plugin/breakout.so)
if(NOT printed MATCHES "breakout_hourly")
  message(FATAL_ERROR "the plugin brought no strategy:\n${printed}")
endif()
run(${prefix}/bin/backtest plugin build ${documents}/tools/example_plugin/breakout.cpp
  -o ${work}/built.so)
run(${prefix}/bin/backtest list --plugin ${work}/built.so)
