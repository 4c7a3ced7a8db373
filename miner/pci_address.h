/*
 * pci_address.h - where a card sits, as people and drivers write it.
 *
 * Plain data, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_PCI_ADDRESS_H
#define MINERVA_MINER_PCI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct pci_address {
    uint32_t domain;
    uint32_t place; /* bus, device and function, in the order of their weight */
};

/* Reads [DOMAIN:]BUS:DEVICE[.FUNCTION] in hex of either case: "01:00.0", "1:0",
 * "00000000:01:00.0"; false for anything else. */
bool pci_address_parse(const char *text, struct pci_address *out);
/* Below, equal to or above 0. */
int pci_address_order(const struct pci_address *a, const struct pci_address *b);

#endif
