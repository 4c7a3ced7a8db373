/*
 * test_device_list.c - claimed: devices are numbered by PCI address, then those without
 * one, the processor behind them; every word of -d picks what its sentence promises, each
 * card once, and what cannot be picked is refused with the reason that a person needs.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/device_list.h"
#include "miner/pci_address.h"

enum { TEXT_SIZE = 128 };

struct row { /* a device as its backend says it */
    const char *backend;
    const char *bus, *name;
    enum device_vendor vendor;
    bool is_gpu, is_integrated;
    const char *reason;
};

/* A rig: two cards of NVIDIA seen twice, one of them too old for CUDA, AMD's card, the
 * GPU inside an Intel processor, and that processor through PoCL. */
static const struct row rig[] = {
    {"cuda", "0a:00.0", "NVIDIA GeForce RTX 4090", VENDOR_NVIDIA, true, false, ""},
    {"cuda", "02:00.0", "NVIDIA GeForce GTX 1070", VENDOR_NVIDIA, true, false,
     "compute capability 6.1, expected 7.5"},
    {"opencl", "-", "pthread-Intel Core i9", VENDOR_INTEL, false, false, ""},
    {"opencl", "00:02.0", "Intel UHD Graphics 770", VENDOR_INTEL, true, true, ""},
    {"opencl", "10000:01:00.0", "AMD Radeon RX 7900", VENDOR_AMD, true, false, ""},
    {"opencl", "02:00.0", "NVIDIA GeForce GTX 1070", VENDOR_NVIDIA, true, false, ""},
    {"opencl", "0A:00.0", "NVIDIA GeForce RTX 4090", VENDOR_NVIDIA, true, false, ""},
    {"cpu", "-", "Intel Core i9", VENDOR_OTHER, false, false, ""},
};
/* The order they come out in. */
enum { UHD, OLD_CUDA, OLD_OPENCL, NEW_CUDA, NEW_OPENCL, RADEON, POCL, CPU };

/* No driver at all: what backends answer then. */
static const struct row bare[] = {
    {"cuda", "-", "", VENDOR_OTHER, false, false, "libcuda.so.1 is not here"},
    {"opencl", "-", "", VENDOR_OTHER, false, false, "libOpenCL.so.1 is not here"},
    {"cpu", "-", "AMD EPYC", VENDOR_OTHER, false, false, ""},
};

static struct device_list list_of(const struct row *rows, size_t count)
{
    struct device_list list = {.count = count};

    for (size_t i = 0; i < count; i++) {
        struct device_entry *entry = &list.entries[i];
        uint32_t index = 0;
        for (size_t j = 0; j < i; j++)
            index += !strcmp(rows[j].backend, rows[i].backend);
        *entry = (struct device_entry){.backend = backend_find(rows[i].backend),
                                       .index = index};
        entry->info.vendor = rows[i].vendor;
        entry->info.is_gpu = rows[i].is_gpu;
        entry->info.is_integrated = rows[i].is_integrated;
        snprintf(entry->info.bus, sizeof entry->info.bus, "%s", rows[i].bus);
        snprintf(entry->info.name, sizeof entry->info.name, "%s", rows[i].name);
        snprintf(entry->info.reason, sizeof entry->info.reason, "%s", rows[i].reason);
    }
    device_list_sort(&list);
    return list;
}

#define LIST_OF(rows) list_of(rows, sizeof rows / sizeof rows[0])

/* The numbers kept, in their order: "0,3". */
static void numbers_of(const struct device_list *list, char text[TEXT_SIZE])
{
    size_t used = 0;

    text[0] = 0;
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE - used, "%s%u", i ? "," : "",
                                 list->entries[i].number);
}

static void expect(struct device_list list, const char *words, const char *numbers)
{
    struct error err = {0};
    char got[TEXT_SIZE];

    if (device_list_select(&list, words, &err))
        fail_msg("-d %s: %s", words, error_text(&err));
    numbers_of(&list, got);
    if (strcmp(got, numbers))
        fail_msg("-d %s picks %s, expected %s", words, got, numbers);
}

static void refuse(struct device_list list, const char *words, enum status expected,
                   const char *part)
{
    struct error err = {0};
    const enum status status = device_list_select(&list, words, &err);

    if (status != expected || !strstr(error_text(&err), part))
        fail_msg("-d %s: %d \"%s\", expected %d with \"%s\"", words, status,
                 error_text(&err), expected, part);
}

static void test_the_order_is_that_of_the_addresses(void **state)
{
    static const char *const names[] = {
        "Intel UHD Graphics 770",  "NVIDIA GeForce GTX 1070",
        "NVIDIA GeForce GTX 1070", "NVIDIA GeForce RTX 4090",
        "NVIDIA GeForce RTX 4090", "AMD Radeon RX 7900",
        "pthread-Intel Core i9",   "Intel Core i9"};
    const struct device_list list = LIST_OF(rig);

    (void)state;
    for (uint32_t i = 0; i < list.count; i++) {
        assert_string_equal(list.entries[i].info.name, names[i]);
        assert_int_equal(list.entries[i].number, i);
    }
    assert_string_equal(list.entries[OLD_CUDA].backend->name, "cuda");
    assert_string_equal(list.entries[NEW_OPENCL].backend->name, "opencl");
    assert_int_equal(list.entries[NEW_OPENCL].index, 4);

    const struct device_list none = LIST_OF(bare);
    assert_string_equal(none.entries[0].backend->name, "cpu");
    assert_true(device_entry_exists(&none.entries[0]));
    assert_false(device_entry_exists(&none.entries[1]));
    assert_string_equal(none.entries[1].backend->name, "cuda");
}

static void test_words_pick(void **state)
{
    const struct device_list list = LIST_OF(rig);

    (void)state;
    expect(list, "auto", "2,3,5"); /* the old card through OpenCL, the new one once */
    expect(list, "all", "2,3,5,7");
    expect(list, "cuda", "3");
    expect(list, "opencl", "0,2,4,5,6");
    expect(list, "cpu", "7");
    expect(list, "nvidia", "2,3");
    expect(list, "amd", "5");
    expect(list, "4", "4");
    expect(list, "4,0, 7", "0,4,7");
    expect(list, "3,4", "3,4"); /* numbers mean what they say */
    expect(list, "cuda,opencl", "0,2,3,4,5,6");
    expect(list, "0a:00.0", "3");
    expect(list, "0000:0A:00", "3");
    expect(list, "00000000:02:00.0", "2");
    expect(list, "10000:1:0.0", "5");
    expect(list, "0:2.0", "0"); /* named, so a GPU without its own memory too */
    expect(list, "rtx 4090", "3");
    expect(list, "4090", "3");
    expect(list, "geforce", "2,3");
    expect(list, "UHD", "0");
    expect(list, "i9", "6,7");
    expect(list, "amd,4090 , cpu", "3,5,7");
}

static void test_without_a_gpu_the_processor_works(void **state)
{
    static const struct row modest[] = {
        {"opencl", "00:02.0", "Intel UHD", VENDOR_INTEL, true, true, ""},
        {"opencl", "-", "pthread-Intel", VENDOR_INTEL, false, false, ""},
        {"cpu", "-", "Intel", VENDOR_OTHER, false, false, ""},
    };
    static const struct row broken[] = {
        {"cuda", "01:00.0", "NVIDIA H100", VENDOR_NVIDIA, true, false, "too old"},
        {"cpu", "-", "Intel", VENDOR_OTHER, false, false, ""},
    };

    (void)state;
    expect(LIST_OF(bare), "auto", "0");
    expect(LIST_OF(bare), "all", "0");
    expect(LIST_OF(modest), "auto", "2");
    expect(LIST_OF(modest), "all", "2");
    expect(LIST_OF(broken), "auto", "1");
    expect(LIST_OF(broken), "all", "1");
}

static void test_refusals_say_why(void **state)
{
    const struct device_list list = LIST_OF(rig), none = LIST_OF(bare);
    const struct device_list empty = {0};

    (void)state;
    refuse(list, "1", STATUS_NO_DEVICE,
           "device 1 (cuda NVIDIA GeForce GTX 1070): compute capability 6.1");
    refuse(list, "99", STATUS_NO_DEVICE,
           "there is no device 99, expected a number below 8");
    refuse(list, "77:00.0", STATUS_NO_DEVICE, "no device at the PCI address 77:00.0");
    refuse(
        list, "intel", STATUS_NO_DEVICE,
        "number 0 (opencl Intel UHD Graphics 770) is no card of its own, and taken only "
        "by -d 0, its address, its name or -d opencl");
    refuse(list, "quantum", STATUS_USAGE, "\"quantum\" is no device, expected all");
    refuse(list, "cpu,", STATUS_USAGE, "names no devices");
    refuse(list, "", STATUS_USAGE, "names no devices");
    refuse(list, " ", STATUS_USAGE, "names no devices");
    refuse(list, "gpu", STATUS_USAGE, "\"gpu\"");
    refuse(none, "amd", STATUS_NO_DEVICE, "no usable amd device: the machine has none");
    refuse(empty, "all", STATUS_NO_DEVICE, "the machine has none");
    refuse(empty, "auto", STATUS_NO_DEVICE, "no usable cpu device");
    for (size_t b = 0; b < backend_count; b++) {
        const char *name = backend_table[b]->name;
        if (backend_table[b]->absent)
            refuse(none, name, STATUS_ABSENT, backend_table[b]->absent);
        else if (strcmp(name, "cpu"))
            refuse(none, name, STATUS_NO_DEVICE, "is not here");
    }
}

static void test_addresses_are_read_as_people_write_them(void **state)
{
    static const char *const wrong[] = {
        "",       ":",     "1",    "1:",     ":1",  "1:2:3:4", "1:20",
        "100:1",  "1:1.8", "1:1.", "1:1.0x", "g:1", "1 :1",    "123456789:0:0",
        "0:1:1:", "-1:0",  "1:+1", "1.0"};
    struct pci_address a, b;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (pci_address_parse(wrong[i], &a))
            fail_msg("\"%s\" is taken for an address", wrong[i]);
    }
    assert_true(pci_address_parse("fF:1F.7", &a));
    assert_true(pci_address_parse("00000000:ff:1f.7", &b));
    assert_int_equal(pci_address_order(&a, &b), 0);
    assert_true(pci_address_parse("1:00:00.0", &b));
    assert_true(pci_address_order(&a, &b) < 0);
    assert_true(pci_address_order(&b, &a) > 0);
    assert_true(pci_address_parse("ff:1f.6", &b));
    assert_true(pci_address_order(&a, &b) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_is_that_of_the_addresses),
        cmocka_unit_test(test_words_pick),
        cmocka_unit_test(test_without_a_gpu_the_processor_works),
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_addresses_are_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
