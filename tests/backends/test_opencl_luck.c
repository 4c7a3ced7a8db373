/*
 * test_opencl_luck.c - claim: whatever is missing, wrong or broken of OpenCL on a
 * machine, the user reads one sentence about it and nothing worse happens: no loader, an
 * old one, no platform, no device, an old one, wrong answers, a compiler that refuses, a
 * device lost in mid-task, too little memory, a cache that is damaged or cannot be
 * written.
 *
 * labels: plain opencl
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/device.h"
#include "miner/base/file.h"
#include "miner/base/log.h"
#include "tests/product_run.h"
#include "tests/stand_in/opencl_shim_open.h"

enum { LIST_MAX = OPENCL_SHIM_LIST_MAX, PATH_SIZE = OPENCL_SHIM_PATH_SIZE };

struct luck {
    struct opencl_shim_opened opened;
    struct opencl_shim *shim;
    char folder[PATH_SIZE], log[PATH_SIZE];
    uint32_t index; /* of a usable device */
};

static struct luck *begin(void **state)
{
    struct luck *luck = *state;

    *luck->shim = (struct opencl_shim){.version = NULL};
    setenv("MINERVA_OPENCL", luck->opened.library, 1);
    return luck;
}

static void says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* The reason of the first entry. */
static void probe_says(const char *reason)
{
    struct device_info list[LIST_MAX];
    size_t count = 0;

    assert_int_equal(backend_opencl.probe(list, LIST_MAX, &count), STATUS_OK);
    assert_true(count > 0);
    says(list[0].reason, reason);
    assert_true(strlen(list[0].reason) < sizeof list[0].reason - 1);
}

static enum status luck_open(const struct luck *luck, const char *folder,
                             struct device **out, struct error *err)
{
    const struct device_options options = {.kernel_cache = folder};

    *err = (struct error){.status = STATUS_OK};
    return device_open(&backend_opencl, luck->index, &options, out, err);
}

/* Opens, and closes again; the variant it chose is in text. */
static void opens(const struct luck *luck, const char *folder, char text[48])
{
    struct device *device;
    struct error err;

    if (luck_open(luck, folder, &device, &err))
        fail_msg("%s", err.text);
    snprintf(text, 48, "%s", device_info(device)->variant);
    device_close(device);
}

static void refuses(const struct luck *luck, enum status status, struct error *err)
{
    struct device *device = NULL;

    assert_int_equal(luck_open(luck, NULL, &device, err), status);
    assert_null(device);
}

static void test_no_device(void **state)
{
    struct luck *luck = begin(state);
    struct error err;

    setenv("MINERVA_OPENCL", "/nowhere/libOpenCL.so.1", 1);
    probe_says("/nowhere/libOpenCL.so.1 cannot be opened: install an OpenCL loader");
    refuses(luck, STATUS_NO_DEVICE, &err);
    setenv("MINERVA_OPENCL", "libm.so.6", 1);
    probe_says("libm.so.6 lacks clGetPlatformIDs: it is older than OpenCL 1.2");
    begin(state)->shim->has_no_platform = true;
    probe_says("there is a loader but no OpenCL platform: install");
    begin(state)->shim->has_no_device = true;
    probe_says(" has no device: is its card there");
    refuses(luck, STATUS_NO_DEVICE, &err);
}

static void test_poor_device(void **state)
{
    struct error err;

    begin(state)->shim->version = "OpenCL 1.1 made up";
    probe_says("it speaks OpenCL 1.1 made up, expected OpenCL 1.2 or newer: update");
    refuses(*state, STATUS_NO_DEVICE, &err);
    says(err.text, "OpenCL 1.1");
    begin(state)->shim->version = "nonsense";
    probe_says("it speaks nonsense, expected OpenCL 1.2");
    begin(state)->shim->profile = "EMBEDDED_PROFILE";
    probe_says("its profile is EMBEDDED_PROFILE, expected FULL_PROFILE");
    begin(state)->shim->has_no_compiler = true;
    probe_says("its driver has no compiler");
    begin(state)->shim->is_gone = true;
    probe_says("not available");
}

static void test_pci_address(void **state)
{
    static const struct {
        uint32_t pci[4];
        const char *text;
    } cases[] = {{{0, 1, 0, 0}, "01:00.0"},
                 {{0x10000, 0xc1, 0x1f, 7}, "10000:c1:1f.7"},
                 {{0, 0x100, 0, 0}, "-"}};
    struct luck *luck = begin(state);
    struct device_info list[LIST_MAX];
    size_t count = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(luck->shim->pci, cases[i].pci, sizeof cases[i].pci);
        assert_int_equal(backend_opencl.probe(list, LIST_MAX, &count), STATUS_OK);
        assert_string_equal(list[luck->index].bus, cases[i].text);
    }
}

static bool has_fma(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[8192];
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, " fma ") != NULL;
    if (file)
        fclose(file);
    return found;
}

static void test_contraction(void **state)
{
    struct luck *luck = begin(state);
    char variant[48];

    luck->shim->line = "#pragma OPENCL FP_CONTRACT OFF\n";
    luck->shim->instead = "#pragma OPENCL FP_CONTRACT ON\n";
    opens(luck, NULL, variant);
    if (has_fma()) /* without, nothing is contracted */
        says(variant, " barrier");
}

static void test_wrong_answers(void **state)
{
    struct luck *luck = begin(state);
    struct error err;

    luck->shim->line = "#define INVERSE_OF_255 0xfefefeffu\n";
    luck->shim->instead = "#define INVERSE_OF_255 0xfefefefeu\n";
    refuses(luck, STATUS_MISMATCH, &err);
    says(err.text, "opencl: ");
    says(err.text, "a mined product: a known answer was not reproduced");
}

/* Right but for groups of half the size that is used: 8 on a processor, 32 on a GPU. */
static void test_wrong_size(void **state)
{
    struct luck *luck = begin(state);
    struct error err;

    luck->shim->line = "        y[i] = scalar_core(core, x[i]);\n";
    luck->shim->instead =
        "        y[i] = scalar_core(core, x[i]) ^ (get_local_size(0) == 8 || "
        "get_local_size(0) == 32);\n";
    refuses(luck, STATUS_MISMATCH, &err);
    says(err.text, "in work groups of ");
    says(err.text, ", scalar cores: a known answer was not reproduced");
}

static void test_build_failure(void **state)
{
    struct luck *luck = begin(state);
    struct blob log = blob_empty(1 << 20);
    struct error err;
    char *path;

    luck->shim->line = "#define INVERSE_OF_255 0xfefefeffu\n";
    luck->shim->instead = "this is no kernel;\n";
    setenv("TMPDIR", luck->folder, 1);
    refuses(luck, STATUS_NOT_SUPPORTED, &err);
    says(err.text, "the driver's compiler refuses the kernels");
    says(err.text, "error: ");
    path = strstr(err.text, luck->folder);
    assert_non_null(path);
    path[strcspn(path, ")")] = '\0';
    assert_int_equal(file_read(path, &log, &err), STATUS_OK);
    says((const char *)log.data, "error: ");
    unlink(path);
    blob_free(&log);
}

static void test_lost(void **state)
{
    struct luck *luck = begin(state);
    const struct product_case shape = {
        .m = 64, .n = 64, .k = 128, .values = VALUES_ANY, .threads = 1};
    struct product_plain plain;
    struct product_run run;
    struct device *device;
    struct error err;
    struct multiply multiply;

    product_plain_make(&shape, &plain);
    assert_int_equal(luck_open(luck, NULL, &device, &err), STATUS_OK);
    product_run_load(&run, device, &shape, &plain, 0);
    multiply = (struct multiply){
        .m = shape.m, .a = {run.a, 0}, .b = run.packed, .c = {run.c, run.c_at}};
    for (uint64_t at = 1; at <= 2; at++) {
        luck->shim->lose_at = at;
        assert_int_equal(device_multiply(device, &multiply), STATUS_DEVICE_LOST);
    }
    product_run_check(&run, &shape, &plain, true); /* and works again */
    product_run_free(&run);
    device_close(device);
    product_plain_free(&plain);
}

/* A job that is replaced between two slices leaves a product off. */
static void test_replaced(void **state)
{
    struct luck *luck = begin(state);
    const struct product_case shape = {.m = 512,
                                       .n = 512,
                                       .k = 1024,
                                       .rank = 64,
                                       .rows = pattern_range(8),
                                       .columns = pattern_range(16),
                                       .values = VALUES_ANY,
                                       .threads = 1,
                                       .bound_top = 0};
    uint64_t count = 5;
    struct product_plain plain;
    struct product_run run;
    struct device *device;
    struct error err;
    struct mining mining = {.a.rank = 64,
                            .b.rank = 64,
                            .rows = &shape.rows,
                            .columns = &shape.columns,
                            .count = &count,
                            .seen = 5};

    product_plain_make(&shape, &plain);
    assert_int_equal(luck_open(luck, NULL, &device, &err), STATUS_OK);
    product_run_load(&run, device, &shape, &plain, 0);
    product_seed(mining.a.seed, SEED_A);
    product_seed(mining.b.seed, SEED_B);
    mining.hits = (struct view){run.hits, 0};
    mining.hits_max = run.hits_max;
    const struct multiply multiply = {
        .m = shape.m, .a = {run.a, 0}, .b = run.packed, .mining = &mining};
    assert_int_equal(device_multiply(device, &multiply), STATUS_OK);
    luck->shim->raised = &count;
    luck->shim->raise_at = 1;
    luck->shim->launches = 0;
    assert_int_equal(device_multiply(device, &multiply), STATUS_STALE);
    product_run_free(&run);
    device_close(device);
    product_plain_free(&plain);
}

static void test_memory(void **state)
{
    enum { PIECE_MAX = 64 << 20 };
    struct luck *luck = begin(state);
    struct device *device;
    struct buffer *buffer = NULL;
    struct packed *packed = NULL;
    struct error err;

    luck->shim->piece_max = PIECE_MAX;
    assert_int_equal(luck_open(luck, NULL, &device, &err), STATUS_OK);
    assert_int_equal(device_info(device)->piece_bytes, PIECE_MAX);
    assert_int_equal(device_buffer_new(device, PIECE_MAX + 1, &buffer), STATUS_NO_MEMORY);
    assert_int_equal(device_packed_new(device, 1 << 16, 4096, &packed), STATUS_NO_MEMORY);
    assert_int_equal(device_buffer_new(device, PIECE_MAX / 2, &buffer), STATUS_OK);
    device_buffer_free(device, buffer);
    device_close(device);
}

/* The one file of compiled kernels. */
static void kept_path(const struct luck *luck, char path[2 * PATH_SIZE])
{
    DIR *folder = opendir(luck->folder);
    size_t count = 0;

    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, ".opencl")) {
            snprintf(path, 2 * PATH_SIZE, "%s/%s", luck->folder, entry->d_name);
            count++;
        }
    closedir(folder);
    assert_int_equal(count, 1);
}

/* Not one damaged byte reaches the driver, and a whole file is there afterwards. */
static void damage_is_seen(struct luck *luck, const char *path, size_t at, size_t size)
{
    struct blob file = blob_empty(64 << 20);
    struct error err;
    char variant[48];

    assert_int_equal(file_read(path, &file, &err), STATUS_OK);
    file.data[at % file.size] ^= 1;
    assert_int_equal(file_write(path, bytes_of(file.data, size ? size : file.size), &err),
                     STATUS_OK);
    blob_free(&file);
    luck->shim->binaries = luck->shim->sources = 0;
    opens(luck, luck->folder, variant);
    assert_int_equal(luck->shim->binaries, 0);
    assert_int_equal(luck->shim->sources, 1);
    opens(luck, luck->folder, variant);
    assert_int_equal(luck->shim->binaries, 1);
    assert_int_equal(luck->shim->sources, 1);
}

static void test_cache(void **state)
{
    struct luck *luck = begin(state);
    char path[2 * PATH_SIZE], variant[48];

    opens(luck, NULL, variant);
    assert_int_equal(luck->shim->sources, 1);
    opens(luck, luck->folder, variant);
    assert_int_equal(luck->shim->sources, 2);
    kept_path(luck, path);
    opens(luck, luck->folder, variant);
    assert_int_equal(luck->shim->sources, 2);
    assert_int_equal(luck->shim->binaries, 1);
    damage_is_seen(luck, path, 0, 0);    /* magic */
    damage_is_seen(luck, path, 9, 0);    /* length */
    damage_is_seen(luck, path, 20, 0);   /* hash */
    damage_is_seen(luck, path, 1000, 0); /* payload */
    damage_is_seen(luck, path, SIZE_MAX, 0);
    damage_is_seen(luck, path, 0, 30); /* cut short */
    /* The driver itself does not want what it made. */
    luck->shim->refuses_binaries = true;
    luck->shim->sources = 0;
    opens(luck, luck->folder, variant);
    assert_int_equal(luck->shim->sources, 1);
    unlink(path);
}

static void test_cache_unwritable(void **state)
{
    struct luck *luck = begin(state);
    struct blob text = blob_empty(1 << 20);
    char folder[2 * PATH_SIZE], variant[48];
    struct error err;

    /* Not even root makes a folder below a file. */
    snprintf(folder, sizeof folder, "%s/kernels", luck->log);
    opens(luck, folder, variant);
    assert_int_equal(file_read(luck->log, &text, &err), STATUS_OK);
    says((const char *)text.data, "compiled kernels are not kept: ");
    blob_free(&text);
}

static int setup(void **state)
{
    static struct luck luck;
    const char *temporary = getenv("TMPDIR");

    opencl_shim_open(&luck.opened);
    luck.shim = luck.opened.shim;
    luck.index = luck.opened.index;
    *state = &luck;
    snprintf(luck.folder, sizeof luck.folder, "%s/opencl-luck-XXXXXX",
             temporary ? temporary : "/tmp");
    if (!mkdtemp(luck.folder))
        return 1;
    snprintf(luck.log, sizeof luck.log, "%.300s/log", luck.folder);
    if (log_open(LOG_WARN, luck.log, 0, NULL))
        return 1;
    begin(state);
    return 0;
}

static int teardown(void **state)
{
    struct luck *luck = *state;

    log_close();
    unlink(luck->log);
    return rmdir(luck->folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_device),     cmocka_unit_test(test_poor_device),
        cmocka_unit_test(test_pci_address),   cmocka_unit_test(test_contraction),
        cmocka_unit_test(test_wrong_answers), cmocka_unit_test(test_wrong_size),
        cmocka_unit_test(test_build_failure), cmocka_unit_test(test_lost),
        cmocka_unit_test(test_replaced),      cmocka_unit_test(test_memory),
        cmocka_unit_test(test_cache),         cmocka_unit_test(test_cache_unwritable),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
