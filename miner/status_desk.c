/*
 * status_desk.c - the main thread's side of the status server.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/status_desk.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/standing.h"

enum {
    STANDING_MS = 500, /* between two of them */
    ORDERS_MAX = 8
};

struct status_desk {
    const struct config *config;
    struct status_server *server; /* NULL: nobody is answered */
    struct mailbox *standings;
    struct queue *orders;
    uint64_t begun_ms, next_ms;
};

static void order_release(void *order)
{
    (void)order; /* they are constants */
}

static enum status listen_as_told(struct status_desk *desk, struct error *err)
{
    const struct status_server_options options = {
        .address = config_text(desk->config, SETTING_api_port),
        .token = config_text(desk->config, SETTING_api_token),
        .standings = desk->standings,
        .orders = desk->orders};

    if (!strcmp(options.address, "0"))
        return STATUS_OK;
    const enum status status = status_server_open(&options, &desk->server, err);
    if (status == STATUS_BAD_CONFIG)
        return status;
    if (status) {
        log_warn("miner", "no status server: %s", error_text(err));
        *err = (struct error){0};
        return STATUS_OK;
    }
    const char *host = status_server_host(desk->server);
    log_info("miner",
             strchr(host, ':') ? "status at http://[%s]:%u" : "status at http://%s:%u",
             host, status_server_port(desk->server));
    return STATUS_OK;
}

enum status status_desk_open(const struct config *config, struct status_desk **out,
                             struct error *err)
{
    struct status_desk *desk = memory_new(struct status_desk);

    if (!desk)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    desk->config = config;
    desk->begun_ms = clock_ms();
    enum status status = mailbox_new(standing_keep, standing_release, &desk->standings);
    if (!status)
        status = queue_new(ORDERS_MAX, order_release, &desk->orders);
    if (status)
        error_set(err, status, "%s", status_text(status));
    else
        status = listen_as_told(desk, err);
    if (status) {
        status_desk_close(desk);
        return status;
    }
    *out = desk;
    return STATUS_OK;
}

void status_desk_close(struct status_desk *desk)
{
    if (!desk)
        return;
    status_server_close(desk->server);
    queue_free(desk->orders);
    mailbox_free(desk->standings);
    memory_free(desk);
}

void status_desk_update(struct status_desk *desk, struct run *run, uint64_t now_ms)
{
    if (!desk->server || now_ms < desk->next_ms)
        return;
    desk->next_ms = now_ms + STANDING_MS;

    struct standing *standing = standing_new();
    if (!standing)
        return; /* the last one stays */
    standing_fill(standing, run_report(run), now_ms);
    standing->uptime_s = (now_ms - desk->begun_ms) / 1000;
    standing->is_paused = run_is_paused(run);
    standing->tasks_running = run_tasks(run);
    snprintf(standing->worker, sizeof standing->worker, "%s",
             config_text(desk->config, SETTING_worker));
    mailbox_put(desk->standings, standing);
}

bool status_desk_order(struct status_desk *desk, enum status_order *out)
{
    void *order;

    if (queue_take(desk->orders, 0, &order))
        return false;
    *out = *(const enum status_order *)order;
    return true;
}
