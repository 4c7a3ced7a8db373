# The tests of kernels and backends, with stand-ins for the two libraries that they use; where nothing is crossed also
# what shows a CUDA card's instructions.
enable_testing()
if(NOT CMAKE_CROSSCOMPILING)
    include(tests/executor/executor.cmake)
endif()
foreach(test kernels/test_pattern kernels/test_blake3_host kernels/test_det1_vectors
        kernels/test_pow_vectors backends/test_conformance backends/test_cpu_launches
        backends/test_cpu_threads)
    get_filename_component(name ${test} NAME)
    add_executable(${name} tests/${test}.c)
    target_include_directories(${name} PRIVATE tests/bare)
    target_compile_definitions(${name} PRIVATE TEST_DATA="${CMAKE_SOURCE_DIR}/tests/vectors")
    target_link_libraries(${name} PRIVATE backends)
    add_test(NAME ${name} COMMAND ${name})
endforeach()
foreach(name test_conformance test_cpu_launches)
    target_sources(${name} PRIVATE tests/subjects.c tests/kernel_cases.c tests/kernel_ranges.c)
endforeach()
target_sources(test_conformance PRIVATE tests/product_case.c tests/product_run.c tests/made_device.c
    tests/leaves_case.c)
