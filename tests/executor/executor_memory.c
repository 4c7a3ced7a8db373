/*
 * executor_memory.c - device memory: one large range of addresses, of which allocations
 * take pages that lie apart, with a shadow cell for every byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_SIZE     ((size_t)64 << 30)
#define PAGE           4096u
#define GAP            ((size_t)64 * 1024) /* between allocations: nobody's */
#define POISON         0xa5
#define POISONED_MAX   ((size_t)64 << 20)
#define SNAPSHOT_BYTES ((size_t)256 << 20)
#define PLACES_MAX     16384u

struct place {
    u8 *base;
    size_t size;
};

static u8 *arena;
static struct global_cell *cells;
static struct place places[PLACES_MAX]; /* in the order of their addresses */
static u32 place_count;
static const struct place *place_last = places;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t pages(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

static void arena_make(void)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

    if (arena)
        return;
    arena = mmap(NULL, ARENA_SIZE, PROT_NONE, flags, -1, 0);
    cells = mmap(NULL, ARENA_SIZE * sizeof *cells, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (arena == MAP_FAILED || cells == MAP_FAILED)
        abort();
}

/* The first place whose index is such that [base, base + size) fits before it. */
static u32 place_fit(size_t size, u8 **base)
{
    u8 *at = arena + GAP;
    u32 i;

    for (i = 0; i < place_count; i++) {
        if ((size_t)(places[i].base - at) >= size + GAP)
            break;
        at = places[i].base + pages(places[i].size) + GAP;
    }
    *base = at;
    return i;
}

void *executor_memory_new(size_t size)
{
    u8 *base = NULL;
    u32 i;

    if (size == 0 || size > ARENA_SIZE / 2)
        return NULL;
    pthread_mutex_lock(&lock);
    arena_make();
    i = place_fit(pages(size), &base);
    if (place_count < PLACES_MAX && base + pages(size) + GAP <= arena + ARENA_SIZE &&
        mprotect(base, pages(size), PROT_READ | PROT_WRITE) == 0) {
        memmove(&places[i + 1], &places[i], sizeof *places * (place_count - i));
        places[i] = (struct place){base, size};
        place_count++;
        if (size <= POISONED_MAX)
            memset(base, POISON, size);
    } else {
        base = NULL;
    }
    pthread_mutex_unlock(&lock);
    return base;
}

void executor_memory_free(void *memory)
{
    pthread_mutex_lock(&lock);
    for (u32 i = 0; i < place_count; i++) {
        const struct place gone = places[i];
        const size_t size = pages(gone.size);

        if (gone.base != memory)
            continue;
        madvise(gone.base, size, MADV_DONTNEED);
        mprotect(gone.base, size, PROT_NONE);
        madvise(&cells[gone.base - arena], size * sizeof *cells, MADV_DONTNEED);
        memmove(&places[i], &places[i + 1], sizeof *places * (place_count - i - 1));
        place_count--;
        break;
    }
    pthread_mutex_unlock(&lock);
}

/* The allocation that holds `at`, or NULL. */
static const struct place *place_of(const u8 *at)
{
    const struct place *last = place_last;
    u32 from = 0, to = place_count;

    if (last < places + place_count && at >= last->base && at < last->base + last->size)
        return last;
    while (from < to) {
        const u32 middle = (from + to) / 2;
        const struct place *p = &places[middle];

        if (at < p->base)
            to = middle;
        else if (at >= p->base + p->size)
            from = middle + 1;
        else
            return place_last = p;
    }
    return NULL;
}

bool executor_memory_has(const void *at, size_t size)
{
    const struct place *place;
    bool has;

    pthread_mutex_lock(&lock);
    place = place_of(at);
    has = place && size <= place->size - (size_t)((const u8 *)at - place->base);
    pthread_mutex_unlock(&lock);
    return has;
}

bool executor_memory_near(const void *at)
{
    return arena && (const u8 *)at >= arena && (const u8 *)at < arena + ARENA_SIZE;
}

struct global_cell *executor_memory_cells(const u8 *at)
{
    return &cells[at - arena];
}

struct snapshot {
    u32 count;
    u8 *bytes[PLACES_MAX];
};

struct snapshot *executor_snapshot_new(void)
{
    struct snapshot *s = calloc(1, sizeof *s);

    s->count = place_count;
    for (u32 i = 0; i < place_count; i++) {
        if (places[i].size > SNAPSHOT_BYTES)
            continue;
        s->bytes[i] = malloc(places[i].size);
        memcpy(s->bytes[i], places[i].base, places[i].size);
    }
    return s;
}

void executor_snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (u32 i = 0; i < snapshot->count; i++)
        free(snapshot->bytes[i]);
    free(snapshot);
}

void executor_snapshot_restore(const struct snapshot *snapshot)
{
    for (u32 i = 0; i < snapshot->count; i++) {
        if (snapshot->bytes[i])
            memcpy(places[i].base, snapshot->bytes[i], places[i].size);
    }
}

const void *executor_snapshot_differs(const struct snapshot *a, const struct snapshot *b)
{
    for (u32 i = 0; i < a->count; i++) {
        if (!a->bytes[i] || memcmp(a->bytes[i], b->bytes[i], places[i].size) == 0)
            continue;
        for (size_t j = 0; j < places[i].size; j++) {
            if (a->bytes[i][j] != b->bytes[i][j])
                return places[i].base + j;
        }
    }
    return NULL;
}
