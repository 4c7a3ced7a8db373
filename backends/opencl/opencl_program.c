/*
 * opencl_program.c - compiles the text, with a cache before it.
 *
 * What is kept is found by everything that shaped it: platform, device and driver with
 * their versions, the text, the options.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kept.h"
#include "backends/opencl/opencl_text.h"
#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"

enum {
    OPTIONS_SIZE = 160,
    KEY_DIGITS = 40,
    NAME_SIZE = KEY_DIGITS + 16,
    LOG_MAX = 64 << 20
};

struct program {
    struct device *device;
    const struct opencl_build *build;
    char options[OPTIONS_SIZE];
    char name[NAME_SIZE]; /* in the cache */
};

static void add_text(struct blake3 *hasher, const char *text)
{
    blake3_add(hasher, text, strlen(text) + 1);
}

static void add_platform(const struct program *program, struct blake3 *hasher)
{
    static const cl_platform_info which[] = {CL_PLATFORM_NAME, CL_PLATFORM_VENDOR,
                                             CL_PLATFORM_VERSION};
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        char text[256] = "";

        if (program->device->api.clGetPlatformInfo(program->build->platform, which[i],
                                                   sizeof text - 1, text, NULL))
            text[0] = '\0';
        add_text(hasher, text);
    }
}

static void add_device(const struct program *program, struct blake3 *hasher)
{
    static const cl_device_info which[] = {CL_DEVICE_NAME, CL_DEVICE_VENDOR,
                                           CL_DEVICE_VERSION, CL_DRIVER_VERSION,
                                           CL_DEVICE_OPENCL_C_VERSION};
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        char text[256];

        opencl_device_text(&program->device->api, program->device->id, which[i], text,
                           sizeof text);
        add_text(hasher, text);
    }
}

static void name_make(struct program *program)
{
    uint8_t key[BLAKE3_SIZE];
    char digits[2 * BLAKE3_SIZE + 1];
    struct blake3 hasher;

    blake3_begin(&hasher);
    add_platform(program, &hasher);
    add_device(program, &hasher);
    add_text(&hasher, program->options);
    for (size_t i = 0; i < opencl_text_count; i++)
        for (size_t j = 0; j < opencl_texts[i].count; j++)
            add_text(&hasher, opencl_texts[i].lines[j]);
    blake3_end(&hasher, key);
    hex_encode(key, sizeof key, digits);
    snprintf(program->name, sizeof program->name, "%.*s.opencl", KEY_DIGITS, digits);
}

static cl_int build(const struct program *program)
{
    struct device *device = program->device;

    return device->api.clBuildProgram(device->program, 1, &device->id, program->options,
                                      NULL, NULL);
}

/* From the cache; NOT_FOUND: it must be compiled. */
static enum status program_load(const struct program *program)
{
    struct device *device = program->device;
    struct blob binary = blob_empty(KEPT_MAX);
    cl_int code = CL_SUCCESS, of_binary = CL_SUCCESS;
    enum status status = STATUS_NOT_FOUND;

    if (program->build->folder)
        status = kept_get(program->build->folder, program->name, &binary);
    if (!status) {
        const size_t size = binary.size;
        const unsigned char *data = binary.data;

        device->program = device->api.clCreateProgramWithBinary(
            device->context, 1, &device->id, &size, &data, &of_binary, &code);
        if (!code && (of_binary || build(program))) {
            opencl_program_free(device);
            code = CL_INVALID_BINARY;
        }
        if (code) { /* the driver does not want its own binary any more */
            device->program = NULL;
            status = STATUS_NOT_FOUND;
        }
    }
    blob_free(&binary);
    return status;
}

/* All that can go wrong here is that the next start compiles again. */
static void program_keep(const struct program *program)
{
    struct device *device = program->device;
    const struct opencl_api *api = &device->api;
    size_t size = 0;
    struct error err;

    if (!program->build->folder ||
        api->clGetProgramInfo(device->program, CL_PROGRAM_BINARY_SIZES, sizeof size,
                              &size, NULL) ||
        !size || size > KEPT_MAX)
        return;
    unsigned char *data = memory_array(size, 1);
    if (data &&
        !api->clGetProgramInfo(device->program, CL_PROGRAM_BINARIES, sizeof data, &data,
                               NULL) &&
        kept_put(program->build->folder, program->name, bytes_of(data, size), &err))
        log_warn("opencl", "compiled kernels are not kept: %s", error_text(&err));
    memory_free(data);
}

/* The first line that speaks of an error, or the first that says anything. */
static const char *first_error(const char *log, int *size)
{
    const char *line = strstr(log, "error");

    if (!line)
        line = log + strspn(log, " \r\n\t");
    while (line > log && line[-1] != '\n')
        line--;
    *size = (int)strcspn(line, "\r\n");
    return line;
}

/* All of it, to be freed; empty where the driver does not give it. */
static char *build_log(const struct device *device)
{
    size_t size = 0;
    char *log;

    if (device->api.clGetProgramBuildInfo(device->program, device->id,
                                          CL_PROGRAM_BUILD_LOG, 0, NULL, &size) ||
        size > LOG_MAX)
        size = 0;
    log = memory_array(size + 1, 1);
    if (log && size &&
        device->api.clGetProgramBuildInfo(device->program, device->id,
                                          CL_PROGRAM_BUILD_LOG, size, log, NULL))
        log[0] = '\0';
    return log;
}

static enum status refuse(const struct program *program, cl_int code, struct error *err)
{
    const struct device *device = program->device;
    const char *temporary = getenv("TMPDIR");
    const char *folder = program->build->folder ? program->build->folder
                         : temporary            ? temporary
                                                : "/tmp";
    char name[NAME_SIZE], path[256] = "";
    int size = 0;
    char *log = build_log(device);

    if (!log)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the compiler's log");
    snprintf(name, sizeof name, "%.*s.log", KEY_DIGITS, program->name);
    if (file_make_folder(folder, NULL) ||
        file_join(folder, name, path, sizeof path, NULL) ||
        file_write(path, bytes_of(log, strlen(log)), NULL))
        path[0] = '\0';
    const char *line = first_error(log, &size);
    error_fill(err, STATUS_NOT_SUPPORTED,
               "the driver's compiler refuses the kernels (%d): %.*s (its log: %s)", code,
               size < 160 ? size : 160, line, path[0] ? path : "nowhere to write it");
    memory_free(log);
    return STATUS_NOT_SUPPORTED;
}

static enum status program_compile(const struct program *program, struct error *err)
{
    struct device *device = program->device;
    size_t count = 0, at = 0;
    cl_int code;

    for (size_t i = 0; i < opencl_text_count; i++)
        count += opencl_texts[i].count;
    const char **lines = memory_array(count, sizeof *lines);
    if (!lines)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu lines", count);
    for (size_t i = 0; i < opencl_text_count; i++)
        for (size_t j = 0; j < opencl_texts[i].count; j++)
            lines[at++] = opencl_texts[i].lines[j];
    device->program = device->api.clCreateProgramWithSource(
        device->context, (cl_uint)count, lines, NULL, &code);
    memory_free(lines);
    if (code) {
        device->program = NULL;
        return error_set(err, opencl_status(code), "no program can be made (%d)", code);
    }
    code = build(program);
    if (!code)
        return STATUS_OK;
    const enum status status = refuse(program, code, err);
    opencl_program_free(device);
    return status;
}

/* 1.2, but 3.0 where that is what declares the dot product. */
static const char *language(const struct device *device)
{
    char version[DEVICE_TEXT_MAX];

    opencl_device_text(&device->api, device->id, CL_DEVICE_VERSION, version,
                       sizeof version);
    return strstr(device->row->options, "DOT_KHR") && !strncmp(version, "OpenCL 3.", 9)
               ? "-cl-std=CL3.0"
               : "-cl-std=CL1.2";
}

enum status opencl_program_make(struct device *device, const struct opencl_build *build,
                                struct error *err)
{
    struct program program = {.device = device, .build = build};
    enum status status;

    snprintf(program.options, sizeof program.options, "%s %s%s", language(device),
             device->row->options, device->has_barrier ? " -DKERNEL_BARRIER" : "");
    name_make(&program);
    status = program_load(&program);
    if (status != STATUS_NOT_FOUND)
        return status ? error_set(err, status, "no memory for compiled kernels")
                      : STATUS_OK;
    status = program_compile(&program, err);
    if (!status)
        program_keep(&program);
    return status;
}

void opencl_program_free(struct device *device)
{
    if (device->program)
        device->api.clReleaseProgram(device->program);
    device->program = NULL;
}
