/*
 * device_list_select.c - what the words of -d name.
 *
 * Each word picks for itself, the list keeps what any of them picked.  Words for a kind
 * of card pick a card once, through the first backend that can use it; a backend's name
 * and a number mean exactly what they say.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/base/bytes.h"
#include "miner/device_list.h"
#include "miner/pci_address.h"

static const struct vendor_word {
    const char *word;
    enum device_vendor vendor;
} vendor_words[] = {
    {"nvidia", VENDOR_NVIDIA}, {"amd", VENDOR_AMD}, {"intel", VENDOR_INTEL}};

enum { VENDOR_WORDS = sizeof vendor_words / sizeof vendor_words[0] };

/* What one word asks for.  Unset parts let everything through. */
struct wish {
    const char *word; /* as it is said in a sentence: "all", "nvidia" */
    const struct backend *backend;
    enum device_vendor vendor; /* VENDOR_OTHER: any */
    const struct pci_address *address;
    const char *name_part;
    bool gpus_only;
    bool takes_modest; /* also what is only taken when it is meant */
    bool cards_once;
};

/* What OpenCL offers besides cards: the processor once more, and the GPU inside it. */
static bool is_modest(const struct device_entry *entry)
{
    return entry->backend == backend_find("opencl") &&
           (!entry->info.is_gpu || entry->info.is_integrated);
}

static bool same_card(const struct device_entry *a, const struct device_entry *b)
{
    struct pci_address place_a, place_b;

    return pci_address_parse(a->info.bus, &place_a) &&
           pci_address_parse(b->info.bus, &place_b) &&
           !pci_address_order(&place_a, &place_b);
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Whatever the case of either. */
static bool begins_with(const char *text, const char *part)
{
    while (*part && lower(*text) == lower(*part)) {
        text++;
        part++;
    }
    return !*part;
}

static bool contains_part(const char *text, const char *part)
{
    while (*text && !begins_with(text, part))
        text++;
    return *text;
}

/* Whether the entry is of the kind that is wished for, usable or not. */
static bool wish_suits(const struct wish *wish, const struct device_entry *entry)
{
    struct pci_address address;

    if (wish->backend && entry->backend != wish->backend)
        return false;
    if (wish->vendor && entry->info.vendor != wish->vendor)
        return false;
    if (wish->gpus_only && !entry->info.is_gpu)
        return false;
    if (wish->name_part && !contains_part(entry->info.name, wish->name_part))
        return false;
    return !wish->address || (pci_address_parse(entry->info.bus, &address) &&
                              !pci_address_order(&address, wish->address));
}

static bool card_is_kept(const struct device_list *list, const bool *keep, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (keep[i] && same_card(&list->entries[i], &list->entries[index]))
            return true;
    }
    return false;
}

static enum status refuse_none(const struct wish *wish, const struct device_entry *seen,
                               struct error *err)
{
    const char *any = wish->word ? wish->word : "", *gap = wish->word ? " " : "";

    if (!seen)
        return error_set(err, STATUS_NO_DEVICE,
                         "no usable %s%sdevice: the machine has none", any, gap);
    if (!seen->info.reason[0])
        return error_set(err, STATUS_NO_DEVICE,
                         "no usable %s%sdevice: number %u (%s %s) is no card of its own, "
                         "and taken only by -d %u, its address, its name or -d %s",
                         any, gap, seen->number, seen->backend->name, seen->info.name,
                         seen->number, seen->backend->name);
    return error_set(err, STATUS_NO_DEVICE, "no usable %s%sdevice: %s%s%s", any, gap,
                     device_entry_exists(seen) ? seen->info.name : "",
                     device_entry_exists(seen) ? ": " : "", seen->info.reason);
}

/* Keeps what the wish is for, or says why there is nothing. */
static enum status keep_wish(const struct device_list *list, const struct wish *wish,
                             bool *keep, struct error *err)
{
    bool mine[DEVICE_LIST_MAX] = {false}, found = false;
    const struct device_entry *seen = NULL; /* what would have suited */

    for (size_t i = 0; i < list->count; i++) {
        const struct device_entry *entry = &list->entries[i];
        if (!wish_suits(wish, entry))
            continue;
        if (entry->info.reason[0] || (is_modest(entry) && !wish->takes_modest)) {
            seen = seen ? seen : entry;
            continue;
        }
        if (wish->cards_once && card_is_kept(list, mine, i))
            continue;
        mine[i] = keep[i] = found = true;
    }
    return found ? STATUS_OK : refuse_none(wish, seen, err);
}

static enum status keep_number(const struct device_list *list, uint64_t number,
                               bool *keep, struct error *err)
{
    const struct device_entry *entry = &list->entries[number];

    assert(number < list->count);
    if (entry->info.reason[0])
        return error_set(err, STATUS_NO_DEVICE, "device %llu (%s %s): %s",
                         (unsigned long long)number, entry->backend->name,
                         entry->info.name, entry->info.reason);
    keep[number] = true;
    return STATUS_OK;
}

static enum status keep_backend(const struct device_list *list,
                                const struct backend *backend, bool *keep,
                                struct error *err)
{
    const struct wish wish = {
        .word = backend->name, .backend = backend, .takes_modest = true};

    const enum status status = keep_wish(list, &wish, keep, err);
    if (status && backend->absent)
        return error_set(err, STATUS_ABSENT, "%s: %s", backend->name, backend->absent);
    return status;
}

/* GPUs when one can be used, else the processor. */
static enum status keep_default(const struct device_list *list, bool *keep,
                                struct error *err)
{
    const struct wish wish = {.word = "GPU", .gpus_only = true, .cards_once = true};
    struct error no_gpu = {0};

    if (!keep_wish(list, &wish, keep, &no_gpu))
        return STATUS_OK;
    return keep_backend(list, backend_find("cpu"), keep, err);
}

static bool any_suits(const struct device_list *list, const struct wish *wish)
{
    for (size_t i = 0; i < list->count; i++) {
        if (wish_suits(wish, &list->entries[i]))
            return true;
    }
    return false;
}

static enum status keep_address(const struct device_list *list, const char *word,
                                const struct pci_address *address, bool *keep,
                                struct error *err)
{
    const struct wish wish = {
        .word = word, .address = address, .takes_modest = true, .cards_once = true};

    if (!any_suits(list, &wish))
        return error_set(err, STATUS_NO_DEVICE,
                         "there is no device at the PCI address %s (see minerva devices)",
                         word);
    return keep_wish(list, &wish, keep, err);
}

/* A number beyond the list may still be part of a name: "4090". */
static enum status keep_name(const struct device_list *list, const char *word,
                             bool is_number, bool *keep, struct error *err)
{
    const struct wish wish = {
        .word = word, .name_part = word, .takes_modest = true, .cards_once = true};

    if (any_suits(list, &wish))
        return keep_wish(list, &wish, keep, err);
    if (is_number)
        return error_set(err, STATUS_NO_DEVICE,
                         "there is no device %s, expected a number below %zu or part of "
                         "a name",
                         word, list->count);
    return error_set(err, STATUS_USAGE,
                     "\"%s\" is no device, expected all, a backend's name, a vendor, a "
                     "number, a PCI address or part of a name (see minerva devices)",
                     word);
}

static enum status keep_word(const struct device_list *list, const char *word, bool *keep,
                             struct error *err)
{
    static const struct wish all = {.cards_once = true};
    const struct backend *backend = backend_find(word);
    struct pci_address address;
    uint64_t number;

    if (!strcmp(word, DEVICE_LIST_DEFAULT))
        return keep_default(list, keep, err);
    if (!strcmp(word, "all"))
        return keep_wish(list, &all, keep, err);
    if (backend)
        return keep_backend(list, backend, keep, err);
    for (size_t i = 0; i < VENDOR_WORDS; i++) {
        const struct wish wish = {.word = vendor_words[i].word,
                                  .vendor = vendor_words[i].vendor,
                                  .gpus_only = true,
                                  .cards_once = true};
        if (!strcmp(word, wish.word))
            return keep_wish(list, &wish, keep, err);
    }
    if (pci_address_parse(word, &address))
        return keep_address(list, word, &address, keep, err);
    const bool is_number = u64_parse(word, UINT32_MAX, &number);
    if (is_number && number < list->count)
        return keep_number(list, number, keep, err);
    return keep_name(list, word, is_number, keep, err);
}

/* The word at *at without the blanks around it; *at moves to the comma or the end. */
static bool take_word(const char **at, char word[DEVICE_TEXT_MAX])
{
    const char *from = *at + strspn(*at, " ");
    size_t size = strcspn(from, ",");

    *at = from + size;
    while (size && from[size - 1] == ' ')
        size--;
    if (size == 0 || size >= DEVICE_TEXT_MAX)
        return false;
    memcpy(word, from, size);
    word[size] = 0;
    return true;
}

enum status device_list_select(struct device_list *list, const char *words,
                               struct error *err)
{
    bool keep[DEVICE_LIST_MAX] = {false};
    size_t count = 0;

    assert(list);
    assert(words);
    for (const char *next = words;; next++) {
        char word[DEVICE_TEXT_MAX];
        if (!take_word(&next, word))
            return error_set(err, STATUS_USAGE,
                             "\"%.60s\" names no devices, expected e.g. all, cpu or 0,2",
                             words);
        const enum status status = keep_word(list, word, keep, err);
        if (status)
            return status;
        if (!*next)
            break;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (keep[i])
            list->entries[count++] = list->entries[i];
    }
    list->count = count;
    return STATUS_OK;
}
