/*
 * gauge.c - what a device drew, and how fast its clock was, while something was timed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/gauge.h"

#include <time.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

/* Between samples: cards renew their figures no faster, and each question costs the
 * driver time. */
enum { PERIOD_NS = 40000000 };

struct gauge {
    struct sensors *sensors;
    struct thread *thread;
    struct lock *lock; /* of all below, and of sensors */
    bool is_active, is_over;
    struct gauge_sum sum; /* since the begin */
    struct sensors_reading first;
    uint64_t begun_ns;
};

static void sample(struct gauge *gauge, struct sensors_reading *out)
{
    struct gauge_sum *sum = &gauge->sum;

    sensors_read(gauge->sensors, 0, clock_ms(), out);
    if (out->is_known[SENSOR_CLOCK_MHZ]) {
        sum->clock_mhz += out->values[SENSOR_CLOCK_MHZ];
        sum->clocks++;
    }
    if (out->is_known[SENSOR_POWER_W]) {
        sum->power_w += out->values[SENSOR_POWER_W];
        sum->powers++;
    }
}

static void gauge_main(void *context)
{
    const struct timespec period = {.tv_nsec = PERIOD_NS};
    struct gauge *gauge = context;
    bool is_over = false;

    while (!is_over) {
        struct sensors_reading reading;

        nanosleep(&period, NULL);
        lock_take(gauge->lock);
        if (gauge->is_active)
            sample(gauge, &reading);
        is_over = gauge->is_over;
        lock_give(gauge->lock);
    }
}

/* Of what a benchmark shows. */
static bool is_known(struct sensors *sensors)
{
    struct sensors_reading reading;

    sensors_read(sensors, 0, clock_ms(), &reading);
    return reading.is_known[SENSOR_CLOCK_MHZ] || reading.is_known[SENSOR_POWER_W] ||
           reading.is_known[SENSOR_ENERGY_J];
}

static enum status gauge_start(const struct device_entry *entry,
                               const struct sensors_options *options, struct gauge *gauge)
{
    struct device_list *list = memory_new(struct device_list);
    enum status status = list ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status) {
        list->count = 1;
        list->entries[0] = *entry;
        status = sensors_open(list, options, &gauge->sensors);
    }
    memory_free(list);
    if (!status && !is_known(gauge->sensors))
        return STATUS_ABSENT;
    if (!status)
        status = lock_new(&gauge->lock);
    return status ? status : thread_start("gauge", gauge_main, gauge, &gauge->thread);
}

enum status gauge_open(const struct device_entry *entry,
                       const struct sensors_options *options, struct gauge **out)
{
    struct gauge *gauge;
    enum status status;

    *out = NULL;
    if (!entry->info.is_gpu)
        return STATUS_OK;
    gauge = memory_new(struct gauge);
    if (!gauge)
        return STATUS_NO_MEMORY;
    status = gauge_start(entry, options, gauge);
    if (!status) {
        *out = gauge;
        return STATUS_OK;
    }
    gauge_close(gauge);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

void gauge_close(struct gauge *gauge)
{
    if (!gauge)
        return;
    if (gauge->thread) {
        lock_take(gauge->lock);
        gauge->is_over = true;
        lock_give(gauge->lock);
        thread_join(gauge->thread);
    }
    lock_free(gauge->lock);
    sensors_close(gauge->sensors);
    memory_free(gauge);
}

void gauge_begin(struct gauge *gauge)
{
    if (!gauge)
        return;
    lock_take(gauge->lock);
    sensors_read(gauge->sensors, 0, clock_ms(), &gauge->first);
    gauge->begun_ns = clock_ns();
    gauge->sum = (struct gauge_sum){.clocks = 0};
    gauge->is_active = true;
    lock_give(gauge->lock);
}

/* Of the last moment there is always one: it may have been too short for others. */
static void gauge_finish(struct gauge *gauge, struct gauge_sum *now)
{
    const double seconds = (double)(clock_ns() - gauge->begun_ns) / 1e9;
    struct sensors_reading last;

    gauge->is_active = false;
    sample(gauge, &last);
    if (gauge->first.is_known[SENSOR_ENERGY_J] && last.is_known[SENSOR_ENERGY_J]) {
        gauge->sum.energy_j +=
            last.values[SENSOR_ENERGY_J] - gauge->first.values[SENSOR_ENERGY_J];
        gauge->sum.energy_s += seconds;
    }
    *now = gauge->sum;
}

void gauge_end(struct gauge *gauge, struct gauge_sum *sum)
{
    struct gauge_sum now;

    if (!gauge)
        return;
    lock_take(gauge->lock);
    gauge_finish(gauge, &now);
    lock_give(gauge->lock);
    sum->clock_mhz += now.clock_mhz;
    sum->power_w += now.power_w;
    sum->clocks += now.clocks;
    sum->powers += now.powers;
    sum->energy_j += now.energy_j;
    sum->energy_s += now.energy_s;
}

bool gauge_clock(const struct gauge_sum *sum, double *mhz)
{
    if (sum->clocks)
        *mhz = sum->clock_mhz / sum->clocks;
    return sum->clocks > 0;
}

/* A counter that stood still has not been renewed: the samples know better. */
bool gauge_power(const struct gauge_sum *sum, double *watts)
{
    if (sum->energy_s > 0 && sum->energy_j > 0)
        *watts = sum->energy_j / sum->energy_s;
    else if (sum->powers)
        *watts = sum->power_w / sum->powers;
    else
        return false;
    return true;
}
