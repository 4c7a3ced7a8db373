# The OpenCL backend needs the headers to be built, and a loader only when it runs.
function(minerva_text_headers text out) # with what it includes before it, each once
    file(STRINGS ${CMAKE_SOURCE_DIR}/${text} includes REGEX "^#include \"")
    foreach(line IN LISTS includes)
        string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" header "${line}")
        minerva_text_headers(${header} ${out})
    endforeach()
    if(NOT text IN_LIST ${out})
        list(APPEND ${out} ${text})
    endif()
    set(${out} ${${out}} PARENT_SCOPE)
endfunction()

set(opencl_pieces)
foreach(text IN LISTS kernel_texts)
    minerva_text_headers(kernels/${text}.cl opencl_pieces)
endforeach()
set(opencl_headers ${opencl_pieces})
list(FILTER opencl_headers INCLUDE REGEX "\\.h$")
list(FILTER opencl_pieces EXCLUDE REGEX "\\.h$")
set(opencl_folder backends/opencl)
set(opencl_pieces ${opencl_headers} ${opencl_folder}/opencl_plain.cl ${opencl_pieces}
    ${opencl_folder}/opencl_entries.cl kernels/kernels.def ${opencl_folder}/opencl_part.h
    ${opencl_folder}/opencl_block_local.cl ${opencl_folder}/opencl_block_vector.cl ${opencl_folder}/opencl_lines.cl
    ${opencl_folder}/opencl_product.cl ${opencl_folder}/opencl_draw.cl)
list(TRANSFORM opencl_pieces PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE opencl_files)
list(JOIN opencl_pieces "," opencl_names)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/backends/opencl_texts.c
    COMMAND ${CMAKE_COMMAND} -DOUT=${CMAKE_BINARY_DIR}/backends/opencl_texts.c -DROOT=${CMAKE_SOURCE_DIR}
        -DPIECES=${opencl_names} -P ${CMAKE_SOURCE_DIR}/backends/opencl/opencl_text.cmake
    DEPENDS ${opencl_files} ${CMAKE_SOURCE_DIR}/backends/opencl/opencl_text.cmake VERBATIM)
list(APPEND backend_sources ${CMAKE_BINARY_DIR}/backends/opencl_texts.c)
