/*
 * way_process.c - starts this program again for one way on trial, and ends it when its
 * time is up.
 *
 * By exec, for a card's context does not survive a fork.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/way_trial.h"

enum { END_MS = 5000, STEP_MS = 20 }; /* a driver may hold on to what was killed */

extern char **environ;

static int process_start(const struct device_entry *entry, const char *name, int out,
                         pid_t *process)
{
    char number[16], way[WAY_NAME_SIZE];
    char *const words[] = {"minerva", "selftest", "--trial-of", way, "-d", number, NULL};
    posix_spawn_file_actions_t files;
    int code = posix_spawn_file_actions_init(&files);

    if (code)
        return code;
    snprintf(number, sizeof number, "%u", entry->number);
    snprintf(way, sizeof way, "%s", name);
    code = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    if (!code)
        code = posix_spawn(process, "/proc/self/exe", &files, NULL, words, environ);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

/* What it says, to its end; false: there was no end in time. */
static bool process_hear(int from, uint64_t end_ms, char line[WAY_LINE_SIZE])
{
    size_t size = 0;

    for (uint64_t now = clock_ms(); now < end_ms; now = clock_ms()) {
        struct pollfd waiting = {.fd = from, .events = POLLIN};
        char rest[64];

        if (poll(&waiting, 1, (int)(end_ms - now)) <= 0)
            continue;
        const bool is_full = size + 1 == WAY_LINE_SIZE;
        const ssize_t got = is_full ? read(from, rest, sizeof rest)
                                    : read(from, line + size, WAY_LINE_SIZE - 1 - size);
        if (got == 0 || (got < 0 && errno != EINTR))
            return true;
        if (got > 0 && !is_full)
            size += (size_t)got;
        line[size] = '\0';
    }
    return false;
}

/* False: it is still there, and nothing can be done about it. */
static bool process_end(pid_t process, int *outcome)
{
    const uint64_t end_ms = clock_ms() + END_MS;
    pid_t ended;

    while (!(ended = waitpid(process, outcome, WNOHANG)) && clock_ms() < end_ms)
        (void)poll(NULL, 0, STEP_MS);
    return ended == process;
}

static void process_judge(pid_t process, bool is_in_time, const char *line,
                          struct way_verdict *out)
{
    int outcome = 0;

    if (!is_in_time)
        (void)kill(process, SIGKILL);
    if (!process_end(process, &outcome) || !is_in_time) {
        (void)kill(process, SIGKILL);
        *out = (struct way_verdict){.state = WAY_STUCK};
        return;
    }
    way_trial_parse(line, out);
    if (!WIFSIGNALED(outcome))
        return;
    *out = (struct way_verdict){.state = WAY_WRONG};
    snprintf(out->why, sizeof out->why, "its process ended by signal %d",
             WTERMSIG(outcome));
}

void way_trial_run(const struct device_entry *entry, const char *name, uint32_t limit_s,
                   struct way_verdict *out)
{
    const uint64_t end_ms = clock_ms() + (uint64_t)limit_s * 1000;
    char line[WAY_LINE_SIZE] = "";
    int ends[2], code = 0;
    pid_t process;

    *out = (struct way_verdict){.state = WAY_UNTRIED};
    if (pipe2(ends, O_CLOEXEC)) {
        snprintf(out->why, sizeof out->why, "there is no pipe: %s", strerror(errno));
        return;
    }
    code = process_start(entry, name, ends[1], &process);
    (void)close(ends[1]);
    if (code)
        snprintf(out->why, sizeof out->why, "no process can be started: %s",
                 strerror(code));
    else
        process_judge(process, process_hear(ends[0], end_ms, line), line, out);
    (void)close(ends[0]);
}
