/*
 * cuda_driver.c - opens the CUDA driver, and says in sentences why it does not work.
 *
 * SPDX-License-Identifier: MIT
 */

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/cuda/cuda_calls.h"

enum { REQUIRED = 1, OPTIONAL = 0 };

static const char library_name[] = "libcuda.so.1";

const char *cuda_driver_text(const struct cuda_driver *driver, int code, char *out,
                             size_t cap)
{
    static const struct {
        int code;
        const char *sentence;
    } known[] = {
#define CUDA_ERROR(number, sentence) {number, sentence},
#include "backends/cuda/cuda_errors.def"
#undef CUDA_ERROR
    };
    const char *name = NULL, *sentence = NULL;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code)
            sentence = known[i].sentence;
    if (driver->error_name(code, &name))
        name = NULL;
    if (!sentence && driver->error_text(code, &sentence))
        sentence = NULL;
    snprintf(out, cap, "%s (%s %d)",
             sentence ? sentence : "an error this program does not know",
             name ? name : "CUDA error", code);
    return out;
}

enum status cuda_driver_missing(const char *trace, struct error *err)
{
    if (access(trace, F_OK) == 0)
        return error_set(err, STATUS_NO_DEVICE,
                         "the NVIDIA driver is loaded, but %s is missing: install the "
                         "CUDA part of the same driver",
                         library_name);
    return error_set(
        err, STATUS_NO_DEVICE,
        "no NVIDIA driver here: %s is not found; install one, or use another "
        "device",
        library_name);
}

/* All functions into their slots; the name of one that is required and missing. */
static const char *symbols_find(struct cuda_driver *driver)
{
    static const struct {
        const char *symbol;
        int is_required;
    } calls[] = {
#define CUDA_CALL(slot, symbol, need, parameters) {#symbol, need},
#include "backends/cuda/cuda_driver.def"
#undef CUDA_CALL
    };
    void *found[sizeof calls / sizeof calls[0]];
    size_t at = 0;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        found[i] = dlsym(driver->library, calls[i].symbol);
        if (!found[i] && calls[i].is_required)
            return calls[i].symbol;
    }
    /* POSIX promises that an address of a function fits a pointer; C does not, hence the
     * copy. */
#define CUDA_CALL(slot, symbol, need, parameters)                                        \
    memcpy(&driver->slot, &found[at++], sizeof driver->slot);
#include "backends/cuda/cuda_driver.def"
#undef CUDA_CALL
    return NULL;
}

/* Where the loader finds it, or else where containers, WSL and NixOS keep it.  A driver
 * that has begun has threads, and its code stays where they find it. */
static void *library_open(void)
{
    static const char *const places[] = {"", "/usr/local/nvidia/lib64/",
                                         "/usr/lib/wsl/lib/", "/run/opengl-driver/lib/"};
    void *library = NULL;
    char path[64];

    for (size_t i = 0; !library && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s%s", places[i], library_name);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    }
    return library;
}

enum status cuda_driver_open(struct cuda_driver *out, struct error *err)
{
    char text[CUDA_SENTENCE_MAX];
    const char *missing;
    int code;

    *out = (struct cuda_driver){.library = library_open()};
    if (!out->library)
        return cuda_driver_missing("/proc/driver/nvidia/version", err);
    missing = symbols_find(out);
    if (missing) {
        cuda_driver_close(out);
        return error_set(err, STATUS_NO_DEVICE,
                         "%s has no %s: it is too old or no NVIDIA driver; update the "
                         "driver",
                         library_name, missing);
    }
    code = out->init(0);
    if (!code)
        return STATUS_OK;
    cuda_driver_text(out, code, text, sizeof text);
    cuda_driver_close(out);
    return error_set(err, STATUS_NO_DEVICE, "the driver does not start: %s", text);
}

void cuda_driver_close(struct cuda_driver *driver)
{
    if (driver->library)
        dlclose(driver->library);
    *driver = (struct cuda_driver){.library = NULL};
}
