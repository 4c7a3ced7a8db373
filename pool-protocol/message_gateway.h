/*
 * message_gateway.h - the JSON-RPC of the gateway beside one's own node (pearl-pools.md
 * 4).
 *
 * Targets travel as whole numbers of up to 256 bits: read as the nearest real, which must
 * be that of the header's own target, and written digit by digit.  A worker's end; any
 * thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_GATEWAY_H
#define MINERVA_PROTOCOL_MESSAGE_GATEWAY_H

#include "miner/work/share.h"
#include "pool-protocol/message_notify.h"

MUST_CHECK enum status message_gateway_ask(int64_t id, struct blob *out);
/* line: a reply that is_ok, parsed wide.  The job has no id and no height. */
MUST_CHECK enum status message_gateway_decode(const struct message_line *line,
                                              struct message_notify *out,
                                              struct error *err);
/* FULL: the line would be longer than MESSAGE_LINE_MAX. */
MUST_CHECK enum status message_gateway_submit(int64_t id, const struct share *share,
                                              struct blob *out);

#endif
