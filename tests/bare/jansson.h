/*
 * jansson.h - reads the JSON of tests/vectors, which has no escapes, no fractions and no
 * null, under jansson's names, for processors that tests are cross-built for.
 *
 * Nothing is freed before the program ends but by json_decref() of the root.  Found by
 * its folder (tests/bare/bare.cmake).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_BARE_JANSSON_H
#define MINERVA_TESTS_BARE_JANSSON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"

typedef struct json json_t;
struct json {
    char *key, *text; /* in the file's bytes */
    char kind;        /* { [ " 0 (a number) t f */
    long long number;
    size_t count;         /* of children */
    json_t *child, *next; /* in the order of the file */
};
typedef struct {
    char text[64];
    int line;
} json_error_t;

static inline char *json_blank(char *at)
{
    return at + strspn(at, " \t\r\n,:");
}

/* The text between quotes, ended by a 0; at goes behind it. */
static inline char *json_text(char **at)
{
    char *text = *at + 1, *end = strchr(text, '"');

    if (end) {
        *end = '\0';
        *at = end + 1;
    }
    return end ? text : NULL;
}

static inline void json_decref(json_t *json)
{
    for (json_t *child = json ? json->child : NULL, *next; child; child = next) {
        next = child->next;
        json_decref(child);
    }
    memory_free(json);
}

static inline json_t *json_value(char **at);

static inline int json_children(json_t *json, char **at)
{
    json_t **end = &json->child;

    for (*at = json_blank(*at + 1); **at != '}' && **at != ']'; *at = json_blank(*at)) {
        char *key = json->kind == '{' && **at == '"' ? json_text(at) : NULL;

        *at = json_blank(*at);
        *end = json_value(at);
        if (!*end)
            return 0;
        (*end)->key = key;
        end = &(*end)->next;
        json->count++;
    }
    ++*at;
    return 1;
}

/* NULL where none begins. */
static inline json_t *json_value(char **at)
{
    json_t *json = memory_new(json_t);
    char *begin = *at;
    int is_good = 1;
    if (!json)
        return NULL;
    json->kind = *begin;
    if (*begin == '{' || *begin == '[') {
        is_good = json_children(json, at);
    } else if (*begin == '"') {
        json->text = json_text(at);
        is_good = json->text != NULL;
    } else if (*begin == 't' || *begin == 'f') {
        *at += *begin == 't' ? 4 : 5;
    } else {
        json->kind = '0';
        json->number = strtoll(begin, at, 10);
        is_good = *at != begin;
    }
    if (!is_good)
        json_decref(json);
    return is_good ? json : NULL;
}

static inline json_t *json_load_file(const char *path, size_t flags, json_error_t *error)
{
    FILE *file = fopen(path, "rb");
    json_t *json = NULL;
    long size = -1;
    (void)flags;
    *error = (json_error_t){"cannot be read", 0};
    if (file && !fseek(file, 0, SEEK_END))
        size = ftell(file);
    char *text = size > 0 ? memory_array((size_t)size + 1, 1) : NULL;
    if (text && !fseek(file, 0, SEEK_SET) && fread(text, (size_t)size, 1, file) == 1) {
        char *at = json_blank(text);
        json = json_value(&at);
    }
    if (file)
        fclose(file);
    return json;
}

static inline json_t *json_object_get(const json_t *json, const char *key)
{
    json_t *child = json && json->kind == '{' ? json->child : NULL;

    while (child && strcmp(child->key, key) != 0)
        child = child->next;
    return child;
}

static inline json_t *json_array_get(const json_t *json, size_t index)
{
    json_t *child = json && json->kind == '[' ? json->child : NULL;

    while (child && index--)
        child = child->next;
    return child;
}

#define json_array_size(json)    ((json) ? (json)->count : 0)
#define json_object_size(json)   json_array_size(json)
#define json_string_value(json)  ((const char *)((json) ? (json)->text : NULL))
#define json_integer_value(json) ((json) ? (json)->number : 0)
#define json_is_true(json)       ((json) && (json)->kind == 't')
#define json_array_foreach(array, index, item)                                           \
    for ((index) = 0; ((item) = json_array_get(array, index)); (index)++)

#endif
