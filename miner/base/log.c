/*
 * log.c - lines for people.
 *
 * The open log is process-wide by nature, as the terminal is: set before threads start,
 * closed after they ended, read-only between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 2048 };

static struct {
    enum log_level level;
    int file; /* -1: none */
    int colour;
} sink = {.level = LOG_INFO, .file = -1};

enum status log_open(enum log_level level, const char *file, int colour,
                     struct error *err)
{
    sink.level = level;
    sink.colour = colour && isatty(STDERR_FILENO);
    if (!file || !*file)
        return STATUS_OK;
    sink.file = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (sink.file < 0)
        return error_set(err, STATUS_IO, "%s: cannot open the log file: %s", file,
                         strerror(errno));
    return STATUS_OK;
}

void log_close(void)
{
    if (sink.file >= 0)
        close(sink.file);
    sink.file = -1;
}

static void write_line(int fd, const char *line, size_t size)
{
    while (size) {
        const ssize_t put = write(fd, line, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return; /* nowhere left to complain to */
        line += put;
        size -= (size_t)put;
    }
}

/* Foreign text may end up in a line; its control characters must not end up in a
 * terminal. */
static void defuse(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
    }
}

void log_line(enum log_level level, const char *tag, const char *format, ...)
{
    static const char *const colours[] = {"\033[31m", "\033[33m", "", "\033[2m",
                                          "\033[2m"};
    char text[LINE_MAX_SIZE - 128], line[LINE_MAX_SIZE], date[32];
    struct timespec now = {0};
    struct tm local;
    va_list args;

    if (level > sink.level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    defuse(text);
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);

    snprintf(line, sizeof line, "[%s.%03ld]  %-8s %s\n", date, now.tv_nsec / 1000000, tag,
             text);
    if (sink.file >= 0)
        write_line(sink.file, line, strlen(line));
    if (sink.colour)
        snprintf(line, sizeof line, "[%s.%03ld]  %s%-8s %s\033[0m\n", date,
                 now.tv_nsec / 1000000, colours[level], tag, text);
    write_line(STDERR_FILENO, line, strlen(line));
}
