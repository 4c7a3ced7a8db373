/*
 * pool_wrong.c - what a person needs to find out why a pool takes no proof.
 *
 * Every proof was judged by the CPU verifier before it left.  A pool that finds ten in a
 * row wrong looks at them otherwise than we do, and more of them would end in a ban.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "pool-protocol/pool_thread.h"
#include "pool-protocol/share_desk.h"

/* What most often is behind such an answer. */
static const char *wrong_cause(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_LOW:
        return "it may want another certificate version, or reads its target otherwise";
    case REFUSAL_FORMAT:
        return "it may want proofs in gzip, or speak another dialect";
    default:
        return "it may want another certificate version, or know another form of proof";
    }
}

/* The command that shows whether the proof holds. */
static void wrong_tell_file(const struct pool_link *link, const struct job *job,
                            const char *path)
{
    char text[ERROR_TEXT_MAX], header[2 * JOB_HEADER_SIZE + 1], target[65];

    hex_encode(job->header, sizeof job->header, header);
    target_to_hex(&job->target, target);
    snprintf(text, sizeof text,
             "the last proof is kept: minerva verify --header %s --target %s "
             "--cert-version %" PRIu32 " %.120s",
             header, target, job->cert_version, path);
    link_tell_text(link, NEWS_NOTICE, text);
}

void wrong_keep(struct pool_link *link, const struct share *share,
                const struct dialect_event *answer)
{
    char name[64], path[1024];
    struct error err = {0};
    enum status status = STATUS_OK;

    assert(answer->is_hopeless);
    snprintf(link->wrong, sizeof link->wrong,
             "the pool found %d proofs in a row wrong (code %d: %.80s): %s",
             (int)DESK_WRONG_MAX, answer->code, answer->text,
             wrong_cause(answer->refusal));
    if (!link->keep)
        return;
    snprintf(name, sizeof name, "refused-proof-%" PRIu32 ".bin", link->number);
    status = file_join(link->keep, name, path, sizeof path, &err);
    if (!status)
        status = file_make_folder(link->keep, &err);
    if (!status)
        status = file_write(path, blob_bytes(&share->plain_proof), &err);
    if (status)
        link_tell_text(link, NEWS_NOTICE, error_text(&err));
    else
        wrong_tell_file(link, share->job, path);
}
