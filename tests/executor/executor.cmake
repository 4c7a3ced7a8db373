# The executor (executor.h), and kernels compiled for it: as C++, with the callbacks of the thread sanitizer that
# the executor answers itself.  None of it is ever built with a sanitizer's own runtime.
include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
    message(STATUS "no C++ compiler: CUDA kernels are not tested without a GPU")
    return()
endif()
enable_language(CXX)

file(GLOB executor_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/executor/*.c)
list(FILTER executor_sources EXCLUDE REGEX "/test_[a-z_]*\\.c$")
add_library(executor OBJECT ${executor_sources})
target_include_directories(executor PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_definitions(executor PRIVATE _GNU_SOURCE)
target_compile_options(executor PRIVATE -O3 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes
    -Wstrict-prototypes -Werror)
set_target_properties(executor PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)

# minerva_host_kernels(NAME FILE.cu...): an object library of kernels that runs on the executor.
function(minerva_host_kernels name)
    set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX)
    add_library(${name} OBJECT ${ARGN})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
    target_compile_options(${name} PRIVATE -x c++ -std=gnu++17 -O1 -g -fsanitize=thread -fno-exceptions
        -ffp-contract=off -Wall -Wextra -Wshadow -Werror)
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
endfunction()

# minerva_executor(NAME KERNELS...): a shared library of the executor and object libraries of kernels.
function(minerva_executor name)
    set(objects $<TARGET_OBJECTS:executor>)
    foreach(kernels IN LISTS ARGN)
        list(APPEND objects $<TARGET_OBJECTS:${kernels}>)
    endforeach()
    add_library(${name} SHARED ${objects})
    target_link_options(${name} PRIVATE -Wl,-z,defs)
    target_link_libraries(${name} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

file(GLOB executor_cases CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/executor/*_cases.cu)
minerva_host_kernels(executor_case_kernels ${executor_cases})
minerva_executor(executor_cases executor_case_kernels)

# The same cases on a card: `gpu_instructions`, for tests/gpu.sh.  Built wherever there is an nvcc, run as a test where
# there is a card too.  Cards of 8.6 and 8.9 run what 8.0 runs; cards newer than this nvcc compile the last one's PTX.
if(NOT cuda_archs OR MINERVA_SANITIZE OR MINERVA_FUZZ)
    return()
endif()
set(instruction_archs)
foreach(arch 75 80 90a 100 120)
    if(arch IN_LIST cuda_archs)
        list(APPEND instruction_archs -gencode arch=compute_${arch},code=sm_${arch})
    endif()
endforeach()
if(cuda_highest)
    list(APPEND instruction_archs -gencode arch=compute_${cuda_highest},code=compute_${cuda_highest})
endif()
set(instructions ${CMAKE_SOURCE_DIR}/tests/executor/gpu_instructions.cu)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/gpu_instructions
    COMMAND ${MINERVA_NVCC} ${nvcc_flags} -std=c++17 -O2 -fmad=false -I${CMAKE_SOURCE_DIR} ${instruction_archs}
        -Wno-deprecated-gpu-targets --threads 2 -MD -MF ${CMAKE_BINARY_DIR}/gpu_instructions.d -MT gpu_instructions
        -o ${CMAKE_BINARY_DIR}/gpu_instructions ${instructions}
        -L${CMAKE_BINARY_DIR} -lexecutor_cases -Xlinker -rpath=$ORIGIN
    DEPENDS ${instructions} executor_cases
    DEPFILE ${CMAKE_BINARY_DIR}/gpu_instructions.d
    COMMENT "Building gpu_instructions for cards" VERBATIM)
add_custom_target(tests_gpu ALL DEPENDS ${CMAKE_BINARY_DIR}/gpu_instructions)
add_test(NAME gpu_instructions COMMAND ${CMAKE_BINARY_DIR}/gpu_instructions)
set_tests_properties(gpu_instructions PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS plain)
