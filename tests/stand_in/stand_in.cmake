# Libraries that stand in for a driver: libcuda in tests named test_cuda_*, found by LD_LIBRARY_PATH, the OpenCL loader in
# test_opencl_luck, which passes on to the real one, and NVIDIA's management library in test_sensors.
find_library(OPENCL_LIBRARY OpenCL)
if(OPENCL_HEADERS AND OPENCL_LIBRARY)
    add_library(opencl_shim MODULE ${CMAKE_SOURCE_DIR}/tests/stand_in/opencl_shim.c)
    target_include_directories(opencl_shim PRIVATE ${CMAKE_SOURCE_DIR})
    target_compile_definitions(opencl_shim PRIVATE _GNU_SOURCE)
    target_compile_options(opencl_shim PRIVATE -O2 -g -Wall -Wextra -Wshadow -Wconversion -Werror)
    target_link_options(opencl_shim PRIVATE -Wl,--no-as-needed)
    target_link_libraries(opencl_shim PRIVATE ${OPENCL_LIBRARY} ${CMAKE_DL_LIBS})
    set_target_properties(opencl_shim PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stand-in)
endif()

add_library(nvml_shim MODULE ${CMAKE_SOURCE_DIR}/tests/stand_in/nvml_shim.c)
add_dependencies(tests_tsan nvml_shim) # of test_gauge
target_compile_options(nvml_shim PRIVATE -Wall -Wextra -Wshadow -Wconversion -Werror)
set_target_properties(nvml_shim PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stand-in)

# None of it is built with a sanitizer: the executor swaps stacks.
if(NOT TARGET executor)
    return()
endif()
file(GLOB cuda_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/backends/cuda/*.cu)
minerva_host_kernels(cuda_host_kernels ${cuda_kernels})
# The same kernels for tests/cuda, which launch them without a driver.
minerva_executor(cuda_host cuda_host_kernels)

file(GLOB stand_in_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/stand_in/cuda_stand_in*.c)
add_library(cuda_stand_in SHARED ${stand_in_sources} $<TARGET_OBJECTS:executor> $<TARGET_OBJECTS:cuda_host_kernels>)
target_include_directories(cuda_stand_in PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(cuda_stand_in PRIVATE _GNU_SOURCE)
target_compile_options(cuda_stand_in PRIVATE -O2 -g -ffp-contract=off -Wall -Wextra -Wshadow -Wconversion -Werror)
target_link_options(cuda_stand_in PRIVATE -Wl,-z,defs)
target_link_libraries(cuda_stand_in PRIVATE Threads::Threads ${CMAKE_DL_LIBS} m)
set_target_properties(cuda_stand_in PROPERTIES OUTPUT_NAME cuda SUFFIX .so.1 LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stand-in)

# What `minerva bench` compares with, on the processor, beside the driver's stand-in.
add_library(cublaslt_stand_in SHARED tests/stand_in/cublaslt_stand_in.c)
target_compile_definitions(cublaslt_stand_in PRIVATE _GNU_SOURCE)
target_compile_options(cublaslt_stand_in PRIVATE -O2 -g -fvisibility=hidden -Wall -Wextra -Wshadow -Wconversion -Werror)
target_link_libraries(cublaslt_stand_in PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(cublaslt_stand_in PROPERTIES OUTPUT_NAME cublasLt SUFFIX .so.13
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stand-in)
