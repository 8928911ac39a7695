// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/sha1_blocks.hpp"

#include <cstdlib>

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <utility>
#endif

namespace ezio {

#ifdef __x86_64__

namespace {

// For functions that use the instructions, and for functions that are inlined into them.
#define EZIO_SHA __attribute__((target("sha,ssse3,sse4.1")))
#define EZIO_SHA_INLINE EZIO_SHA __attribute__((always_inline)) inline

constexpr int groups = 20; // of four rounds each

// The state of one message within a block.
struct Lane {
    __m128i abcd;
    __m128i e;           // in the highest of the four words
    __m128i old_abcd;    // before the last group of rounds
    __m128i schedule[4]; // the next 16 words of the message schedule
};

// Rounds 4 * Group to 4 * Group + 3, and the part of the message schedule that follows from them.
template <int Group>
EZIO_SHA_INLINE void four_rounds(Lane& lane)
{
    __m128i& now = lane.schedule[Group % 4];
    const __m128i e = Group == 0 ? _mm_add_epi32(lane.e, now) : _mm_sha1nexte_epu32(lane.old_abcd, now);
    lane.old_abcd = lane.abcd;
    if constexpr (Group >= 3 && Group < groups - 1) {
        __m128i& next = lane.schedule[(Group + 1) % 4];
        next = _mm_sha1msg2_epu32(next, now);
    }
    lane.abcd = _mm_sha1rnds4_epu32(lane.abcd, e, Group / 5);
    if constexpr (Group >= 1 && Group < groups - 3) {
        __m128i& last = lane.schedule[(Group + 3) % 4];
        last = _mm_sha1msg1_epu32(last, now);
    }
    if constexpr (Group >= 2 && Group < groups - 2) {
        __m128i& after_next = lane.schedule[(Group + 2) % 4];
        after_next = _mm_xor_si128(after_next, now);
    }
}

template <int Group, std::size_t Lanes>
EZIO_SHA_INLINE void four_rounds_of_all(Lane (&lanes)[Lanes])
{
    for (Lane& lane : lanes) {
        four_rounds<Group>(lane);
    }
}

template <std::size_t Lanes, int... Group>
EZIO_SHA_INLINE void all_rounds(Lane (&lanes)[Lanes], std::integer_sequence<int, Group...>)
{
    (four_rounds_of_all<Group>(lanes), ...);
}

// 16 bytes of the message as four big-endian words, the first one highest.
EZIO_SHA_INLINE __m128i load_words(const std::byte* data)
{
    const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data)), reversed);
}

EZIO_SHA_INLINE void load_state(Lane& lane, const Sha1State& state)
{
    constexpr int reverse = 0x1b;
    lane.abcd = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data())), reverse);
    lane.e = _mm_set_epi32(static_cast<int>(state[4]), 0, 0, 0);
}

EZIO_SHA_INLINE void store_state(const Lane& lane, Sha1State& state)
{
    constexpr int reverse = 0x1b;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_shuffle_epi32(lane.abcd, reverse));
    state[4] = static_cast<std::uint32_t>(_mm_extract_epi32(lane.e, 3));
}

template <std::size_t Lanes>
EZIO_SHA void hash_blocks(Sha1State* const (&states)[Lanes], const std::byte* const (&data)[Lanes],
                          std::size_t blocks)
{
    Lane lanes[Lanes];
    for (std::size_t i = 0; i < Lanes; ++i) {
        load_state(lanes[i], *states[i]);
    }
    for (std::size_t at = 0; at < blocks * sha1_block_bytes; at += sha1_block_bytes) {
        __m128i abcd[Lanes];
        __m128i e[Lanes];
        for (std::size_t i = 0; i < Lanes; ++i) {
            abcd[i] = lanes[i].abcd;
            e[i] = lanes[i].e;
            for (std::size_t word = 0; word < 4; ++word) {
                lanes[i].schedule[word] = load_words(data[i] + at + 16 * word);
            }
        }
        all_rounds(lanes, std::make_integer_sequence<int, groups>{});
        for (std::size_t i = 0; i < Lanes; ++i) {
            lanes[i].abcd = _mm_add_epi32(lanes[i].abcd, abcd[i]);
            lanes[i].e = _mm_sha1nexte_epu32(lanes[i].old_abcd, e[i]);
        }
    }
    for (std::size_t i = 0; i < Lanes; ++i) {
        store_state(lanes[i], *states[i]);
    }
}

bool ask_processor()
{
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned sha_bit = 1U << 29; // of leaf 7's EBX
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & bit_SSSE3) == 0 || (ecx & bit_SSE4_1) == 0) {
        return false;
    }
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & sha_bit) != 0;
}

} // namespace

bool has_sha1_instructions()
{
    static const bool has = ask_processor();
    return has;
}

void hash_sha1_blocks(Sha1State& state, const std::byte* data, std::size_t blocks)
{
    hash_blocks<1>({&state}, {data}, blocks);
}

void hash_sha1_blocks(Sha1State& state_a, const std::byte* data_a, Sha1State& state_b,
                      const std::byte* data_b, std::size_t blocks)
{
    hash_blocks<2>({&state_a, &state_b}, {data_a, data_b}, blocks);
}

#else

bool has_sha1_instructions()
{
    return false;
}

void hash_sha1_blocks(Sha1State&, const std::byte*, std::size_t)
{
    std::abort(); // never called
}

void hash_sha1_blocks(Sha1State&, const std::byte*, Sha1State&, const std::byte*, std::size_t)
{
    std::abort(); // never called
}

#endif

} // namespace ezio
