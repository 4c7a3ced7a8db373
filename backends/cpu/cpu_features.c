/*
 * cpu_features.c - asks the processor what it has, and the system what it saves on a
 * switch.
 *
 * An instruction set counts only when both agree.  The only file of the backend that
 * knows which family of processors it was compiled for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_features.h"

#include <fenv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct feature_name {
    enum cpu_feature feature;
    const char *name;
} feature_names[] = {
    {CPU_AVX2, "AVX2"}, {CPU_AVX512, "AVX-512"},   {CPU_VBMI, "VBMI"},
    {CPU_VNNI, "VNNI"}, {CPU_AVXVNNI, "AVX-VNNI"}, {CPU_DOTPROD, "NEON dot product"},
};

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

enum {
    CPUID_OSXSAVE = 1u << 27,  /* leaf 1, ecx */
    CPUID_BMI2 = 1u << 8,      /* leaf 7, ebx */
    CPUID_AVX2 = 1u << 5,      /* leaf 7, ebx */
    CPUID_AVX512F = 1u << 16,  /* leaf 7, ebx */
    CPUID_AVX512DQ = 1u << 17, /* leaf 7, ebx */
    CPUID_AVX512BW = 1u << 30, /* leaf 7, ebx */
    CPUID_VBMI = 1u << 1,      /* leaf 7, ecx */
    CPUID_VNNI = 1u << 11,     /* leaf 7, ecx */
    CPUID_AVXVNNI = 1u << 4,   /* leaf 7, second part, eax */
    XCR0_YMM = 0x6,            /* SSE and AVX state */
    XCR0_ZMM = 0xe6,           /* and masks and both halves of ZMM */
};
#define MXCSR_EXACT    0x1f80u    /* all exceptions masked, nearest, no FTZ, no DAZ */
#define MXCSR_FLAGS    0x3fu      /* exceptions seen so far: of no interest */
#define CPUID_AVX512VL (1u << 31) /* leaf 7, ebx; does not fit an int */

static uint32_t enabled_states(void)
{
    unsigned a, b, c, d;
    uint32_t low, high;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & CPUID_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool has(uint32_t word, uint32_t bits)
{
    return (word & bits) == bits;
}

uint32_t cpu_features(void)
{
    unsigned a, b, c, d;
    uint32_t states = enabled_states(), features = 0;

    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    if (has(states, XCR0_YMM) && has(b, CPUID_AVX2 | CPUID_BMI2))
        features |= CPU_AVX2;
    if (has(states, XCR0_ZMM) &&
        has(b, CPUID_AVX512F | CPUID_AVX512DQ | CPUID_AVX512BW | CPUID_AVX512VL)) {
        features |= CPU_AVX512;
        if (has(c, CPUID_VBMI))
            features |= CPU_VBMI;
        if (has(c, CPUID_VNNI))
            features |= CPU_VNNI;
    }
    if ((features & CPU_AVX2) && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
        has(a, CPUID_AVXVNNI))
        features |= CPU_AVXVNNI;
    return features;
}

void cpu_name(char *text, size_t cap)
{
    unsigned words[12] = {0};
    char name[sizeof words + 1] = "";
    const char *start = name;

    for (unsigned i = 0; i < 3; i++) {
        unsigned *w = words + 4 * i;
        if (!__get_cpuid(0x80000002u + i, w, w + 1, w + 2, w + 3))
            break;
    }
    memcpy(name, words, sizeof words);
    while (*start == ' ')
        start++;
    snprintf(text, cap, "%s", *start ? start : "unknown processor");
    for (size_t end = strlen(text); end > 0 && text[end - 1] == ' '; end--)
        text[end - 1] = '\0';
}

void cpu_float_exact(void)
{
    if ((_mm_getcsr() & ~MXCSR_FLAGS) != MXCSR_EXACT)
        _mm_setcsr(MXCSR_EXACT);
}

void cpu_pause(void)
{
    _mm_pause();
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

enum { HWCAP_DOTPROD = 1 << 20 }; /* ASIMDDP in the kernel's list */

uint32_t cpu_features(void)
{
    return getauxval(AT_HWCAP) & HWCAP_DOTPROD ? CPU_DOTPROD : 0;
}

void cpu_name(char *text, size_t cap)
{
    snprintf(text, cap, "AArch64 processor");
}

/* No exceptions, to nearest, no flushing: all of FPCR is zero. */
void cpu_float_exact(void)
{
    uint64_t fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    if (fpcr)
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
}

void cpu_pause(void)
{
    __asm__ volatile("yield");
}

#else

uint32_t cpu_features(void)
{
    return 0;
}

void cpu_name(char *text, size_t cap)
{
    snprintf(text, cap, "unknown processor");
}

void cpu_float_exact(void)
{
    fesetenv(FE_DFL_ENV);
}

void cpu_pause(void)
{
}

#endif

void cpu_features_text(uint32_t features, char *text, size_t cap)
{
    size_t size = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof feature_names / sizeof feature_names[0]; i++) {
        if (!(features & (uint32_t)feature_names[i].feature) || size >= cap)
            continue;
        int added = snprintf(text + size, cap - size, "%s%s", size ? " " : "",
                             feature_names[i].name);
        size += added > 0 ? (size_t)added : 0;
    }
}
