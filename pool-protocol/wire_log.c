/*
 * wire_log.c - writes down what is said, without what is nobody's business.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/wire_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "miner/base/memory.h"
#include "miner/base/thread.h"

enum {
    WORDS_MAX = 32,
    WORD_LEAST = 8, /* shorter ones would be found where they do not stand */
    HEAD = 6,       /* what is shown of a word */
    TAIL = 3,
    STRING_MAX = 400, /* of a text between quotes; longer ones are cut */
    STRING_HEAD = 40,
    LINE_OUT_MAX = 1 << 20
};

struct wire_log {
    struct lock *lock; /* guards the line */
    int file;
    size_t word_count;
    struct {
        char *text; /* owned */
        bool is_secret;
    } words[WORDS_MAX];
    struct blob line;
};

enum status wire_log_open(const char *path, struct wire_log **out, struct error *err)
{
    struct wire_log *log = memory_new(struct wire_log);

    *out = NULL;
    if (!log || lock_new(&log->lock)) {
        memory_free(log);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a record");
    }
    log->line = blob_empty(LINE_OUT_MAX);
    /* For its owner's eyes, until he shows it. */
    log->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log->file < 0) {
        const int why = errno;

        wire_log_close(log);
        return error_set(err, STATUS_BAD_CONFIG, "log-wire: %s cannot be written: %s",
                         path, strerror(why));
    }
    *out = log;
    return STATUS_OK;
}

void wire_log_close(struct wire_log *log)
{
    if (!log)
        return;
    if (log->file >= 0)
        close(log->file);
    for (size_t i = 0; i < log->word_count; i++)
        memory_free(log->words[i].text);
    blob_free(&log->line);
    lock_free(log->lock);
    memory_free(log);
}

enum status wire_log_hide(struct wire_log *log, const char *word, bool is_secret)
{
    if (strlen(word) < WORD_LEAST || log->word_count == WORDS_MAX)
        return STATUS_OK;
    char *text = memory_text(word);
    if (!text)
        return STATUS_NO_MEMORY;
    log->words[log->word_count].text = text;
    log->words[log->word_count++].is_secret = is_secret;
    return STATUS_OK;
}

/* The word that begins here: how long it is, and what is shown instead; 0: none. */
static size_t word_at(const struct wire_log *log, const uint8_t *text, size_t size,
                      char shown[HEAD + TAIL + 4])
{
    for (size_t i = 0; i < log->word_count; i++) {
        const char *word = log->words[i].text;
        const size_t length = strlen(word);

        if (length > size || memcmp(text, word, length) != 0)
            continue;
        snprintf(shown, HEAD + TAIL + 4, "%.*s...%s", log->words[i].is_secret ? 0 : HEAD,
                 word, log->words[i].is_secret ? "" : word + length - TAIL);
        return length;
    }
    return 0;
}

/* How long a text is that begins after a quote. */
static size_t string_size(const uint8_t *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length] != '"')
        length += text[length] == '\\' && length + 1 < size ? 2 : 1;
    return length;
}

static enum status text_add(struct wire_log *log, const uint8_t *text, size_t size)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < size; i++) {
        const uint8_t shown = text[i] >= ' ' && text[i] < 127 ? text[i] : '.';

        status = blob_add(&log->line, &shown, 1);
    }
    return status;
}

/* A text between quotes, or one character outside of them; used is how much that was. */
static enum status part_add(struct wire_log *log, const uint8_t *text, size_t size,
                            size_t *used)
{
    const size_t length = *text == '"' ? string_size(text + 1, size - 1) : 0;
    enum status status = STATUS_OK;

    *used = length + 1;
    if (length > STRING_MAX) {
        status = text_add(log, text, 1 + STRING_HEAD);
        return status ? status : blob_addf(&log->line, "...(%zu characters)", length);
    }
    for (size_t i = 0; !status && i < *used;) {
        char shown[HEAD + TAIL + 4];
        const size_t word = word_at(log, text + i, size - i, shown);

        status = word ? blob_addf(&log->line, "%s", shown) : text_add(log, text + i, 1);
        i += word ? word : 1;
        *used = i > *used ? i : *used; /* a word may end behind the part */
    }
    return status;
}

/* Whether a key ends here whose value is a bearer token. */
static bool is_after_token_key(const struct wire_log *log)
{
    static const char key[] = "\"session\":";
    const size_t size = sizeof key - 1;

    return log->line.size >= size &&
           !memcmp(log->line.data + log->line.size - size, key, size);
}

/* One line, made fit to be shown, behind what stands in log->line. */
static enum status line_add(struct wire_log *log, const uint8_t *text, size_t size)
{
    enum status status = STATUS_OK;
    size_t used = 0;

    for (size_t i = 0; !status && i < size; i += used) {
        if (text[i] == '"' && is_after_token_key(log)) {
            used = 1 + string_size(text + i + 1, size - i - 1);
            status = blob_addf(&log->line, "\"...");
        } else {
            status = part_add(log, text + i, size - i, &used);
        }
        if (!status && text[i] == '"' && i + used < size && text[i + used] == '"') {
            status = blob_add(&log->line, "\"", 1); /* the quote that ends it */
            used++;
        }
    }
    return status;
}

static enum status stamp_add(struct wire_log *log, uint32_t pool, enum wire_way way)
{
    struct timespec now = {0};
    struct tm utc;
    char date[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    return blob_addf(&log->line, "%s.%03ldZ pool %u %c ", date, now.tv_nsec / 1000000,
                     (unsigned)pool, way == WIRE_SAID ? '>' : '<');
}

/* A record that cannot be written any more, on a full disk for one, ends quietly. */
static void line_flush(struct wire_log *log)
{
    const uint8_t *data = log->line.data;
    size_t size = log->line.size;

    while (size) {
        const ssize_t put = write(log->file, data, size);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return;
        data += put;
        size -= (size_t)put;
    }
}

static void line_write(struct wire_log *log, uint32_t pool, enum wire_way way,
                       struct bytes line)
{
    enum status status;

    blob_clear(&log->line);
    status = stamp_add(log, pool, way);
    if (!status)
        status = line_add(log, line.data, line.size);
    if (status && log->line.size > 4) {
        log->line.size -= 4; /* room for what says that it goes on */
        status = blob_add(&log->line, "...", 3);
    }
    if (!status && !blob_add(&log->line, "\n", 1))
        line_flush(log);
}

void wire_log_write(struct wire_log *log, uint32_t pool, enum wire_way way,
                    struct bytes lines)
{
    if (!log)
        return;
    lock_take(log->lock);
    while (lines.size) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        const size_t size = end ? (size_t)(end - lines.data) : lines.size;

        line_write(log, pool, way, bytes_of(lines.data, size));
        lines = bytes_of(lines.data + size + (end != NULL),
                         lines.size - size - (end != NULL));
    }
    lock_give(log->lock);
}
