/* xoshiro256** seeded from the system: one system call a process. Ids are unguessable enough to
 * tell requests and environments apart; nothing secret is made here. */
#include "ids.h"
#include "panic.h"
#include <sys/random.h>

static uint64_t state[4];
static bool seeded;

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void ids_seed(uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 spreads a small seed over the state */
        uint64_t z = (seed += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        state[i] = z ^ (z >> 31);
    }
    seeded = true;
}

uint64_t ids_random_u64(void)
{
    if (!seeded) {
        if (getrandom(state, sizeof state, 0) != (ssize_t)sizeof state)
            PANIC("getrandom failed");
        state[0] |= 1;
        seeded = true;
    }
    uint64_t result = rotate(state[1] * 5, 7) * 9, t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate(state[3], 45);
    return result;
}

static void fill(char *out, size_t n, const char *alphabet, unsigned size)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            bits = ids_random_u64();
        out[i] = alphabet[(bits & 0xFF) * size >> 8];
        bits >>= 8;
    }
    out[n] = '\0';
}

void ids_request52(char out[53])
{
    fill(out, 52, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 36);
}

void ids_hex(char *out, size_t digits)
{
    fill(out, digits, "0123456789abcdef", 16);
}

void ids_uuid(char out[37])
{
    char hex[33];
    ids_hex(hex, 32);
    hex[12] = '4';
    hex[16] = "89ab"[ids_random_u64() & 3];
    for (int i = 0, o = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[o++] = '-';
        out[o++] = hex[i];
    }
    out[36] = '\0';
}

void ids_lower_alnum(char *out, size_t characters)
{
    fill(out, characters, "abcdefghijklmnopqrstuvwxyz0123456789", 36);
    if (characters > 0)
        out[0] = (char)('a' + ids_random_u64() % 26);
}
