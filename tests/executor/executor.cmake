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
