# The tests of kernels and backends, with stand-ins for the two libraries that they use.
enable_testing()
foreach(test kernels/test_pattern kernels/test_blake3_host kernels/test_kernel_variants kernels/test_det1_vectors
        kernels/test_pow_vectors backends/test_cpu_kernels backends/test_cpu_product backends/test_cpu_threads)
    get_filename_component(name ${test} NAME)
    add_executable(${name} tests/${test}.c)
    target_include_directories(${name} PRIVATE tests/bare)
    target_compile_definitions(${name} PRIVATE TEST_DATA="${CMAKE_SOURCE_DIR}/tests/vectors")
    target_link_libraries(${name} PRIVATE backends)
    add_test(NAME ${name} COMMAND ${name})
endforeach()
target_sources(test_cpu_product PRIVATE tests/product_case.c)
