/*
 * pci_address.c - where a card sits, as people and drivers write it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pci_address.h"

#include <assert.h>
#include <stddef.h>

enum {
    PARTS_MAX = 3,
    BUS_MAX = 0xff,
    DEVICE_MAX = 0x1f,
    FUNCTION_MAX = 7,
    BUS_SHIFT = 16,
    DEVICE_SHIFT = 8
};

/* What the digit is worth; -1 for anything else. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The hex number at *at, which moves behind it; false where there is none. */
static bool take_hex(const char **at, uint32_t *out)
{
    const char *from = *at;
    uint64_t value = 0;

    for (int digit; (digit = digit_value(**at)) >= 0; ++*at) {
        value = value << 4 | (uint64_t)digit;
        if (value > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)value;
    return *at > from;
}

bool pci_address_parse(const char *text, struct pci_address *out)
{
    uint32_t parts[PARTS_MAX], function = 0;
    size_t count = 0;
    const char *at = text;

    assert(text);
    do {
        if (count == PARTS_MAX || !take_hex(&at, &parts[count]))
            return false;
        count++;
    } while (*at == ':' && at++);
    if (*at == '.' && (at++, !take_hex(&at, &function)))
        return false;
    if (*at || count < 2)
        return false;

    const uint32_t bus = parts[count - 2], device = parts[count - 1];
    if (bus > BUS_MAX || device > DEVICE_MAX || function > FUNCTION_MAX)
        return false;
    out->domain = count == PARTS_MAX ? parts[0] : 0;
    out->place = bus << BUS_SHIFT | device << DEVICE_SHIFT | function;
    return true;
}

int pci_address_order(const struct pci_address *a, const struct pci_address *b)
{
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return 0;
}
