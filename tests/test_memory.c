/** Memory: alignment, zeroing, overflow, growth, injected failures. */
#include "testing.h"

#include "engram/memory.h"

#include <stdint.h>
#include <string.h>

static void test_aligned_and_zeroed(void **state)
{
    (void)state;
    for (size_t count = 0; count < 300; count += 7) {
        unsigned char *block = NULL;
        assert_ok(eg_alloc(&block, count, 3));
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % EG_ALIGNMENT, 0);
        for (size_t i = 0; i < count * 3; i++) {
            assert_int_equal(block[i], 0);
            block[i] = 0xff; /* so that a block that is used again must be cleared */
        }
        eg_free(block);
    }
    eg_free(NULL);
}

/* Blocks of several large pages, and of almost one. */
static void test_large_blocks(void **state)
{
    (void)state;
    const size_t sizes[] = {2097000, 2097152, 5000003};
    for (size_t s = 0; s < 2 * sizeof sizes / sizeof *sizes; s++) {
        const size_t size = sizes[s / 2];
        unsigned char *block = NULL;
        assert_ok(eg_alloc(&block, size, 1));
        assert_int_equal((uintptr_t)block % EG_ALIGNMENT, 0);
        for (size_t i = 0; i < size; i++) {
            if (block[i] != 0) {
                fail_msg("byte %zu is %d", i, block[i]);
            }
        }
        memset(block, 0xff, size);
        eg_free(block);
    }
}

/* What is not cleared fails, is counted and is released as what is. */
static void test_unset(void **state)
{
    (void)state;
    const size_t before = eg_memory_live_blocks();
    double *block = NULL;
    assert_ok(eg_alloc_unset(&block, 1000, sizeof *block));
    assert_int_equal((uintptr_t)block % EG_ALIGNMENT, 0);
    assert_int_equal(eg_memory_live_blocks(), before + 1);
    block[999] = 1;
    eg_free(block);
    assert_int_equal(eg_memory_live_blocks(), before);
    assert_fails(eg_alloc_unset(&block, SIZE_MAX / 2, 3), EG_MEMORY, "exceed the address space");
    assert_null(block);
    eg_memory_fail_after(1);
    assert_fails(eg_alloc_unset(&block, 1, 1), EG_MEMORY, "out of memory");
}

static void test_overflow(void **state)
{
    (void)state;
    char *block = (char *)state;
    assert_fails(eg_alloc(&block, SIZE_MAX / 2, 3), EG_MEMORY, "exceed the address space");
    assert_null(block);
    assert_fails(eg_alloc(&block, SIZE_MAX - 8, 1), EG_MEMORY, "out of memory");
    assert_null(block);
}

static void test_grow_keeps(void **state)
{
    (void)state;
    uint32_t *items = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_ok(eg_grow(&items, &capacity, i + 1, sizeof *items));
        assert_true(capacity > i);
        assert_int_equal(items[i], 0);
        items[i] = i * i;
    }
    assert_true(capacity < 4000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(items[i], i * i);
    }
    /* A failure to grow leaves everything as it was. */
    size_t before = capacity;
    eg_memory_fail_after(1);
    assert_fails(eg_grow(&items, &capacity, before + 1, sizeof *items), EG_MEMORY, "out of memory");
    assert_int_equal(capacity, before);
    assert_int_equal(items[999], 999 * 999);
    eg_free(items);
}

static void test_injected_failure(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    char *first = NULL;
    char *second = NULL;
    char *third = NULL;
    eg_memory_fail_after(2);
    assert_ok(eg_strdup(&first, "abc"));
    assert_fails(eg_strdup(&second, "abc"), EG_MEMORY, "4 bytes");
    assert_null(second);
    assert_ok(eg_format(&third, "%s-%d", first, 5));
    assert_string_equal(third, "abc-5");
    assert_int_equal(eg_memory_live_blocks(), before + 2);
    eg_free(first);
    eg_free(third);
    assert_int_equal(eg_memory_live_blocks(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_and_zeroed),
        cmocka_unit_test(test_large_blocks),
        cmocka_unit_test(test_unset),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_grow_keeps),
        cmocka_unit_test(test_injected_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
