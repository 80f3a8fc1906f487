/** Binary encoding: layout, round trip, bounded reading, checksums. */
#include "testing.h"

#include "writer_parts.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <math.h>
#include <string.h>

static void write_all(eg_writer *writer)
{
    eg_write_u8(writer, 0xab);
    eg_write_u32(writer, 0x01020304U);
    eg_write_u64(writer, 0x1112131415161718U);
    eg_write_f64(writer, -0.5);
    eg_write_text(writer, "hé");
    eg_write_bytes(writer, "xyz", 3);
}

static void test_layout(void **state)
{
    (void)state;
    static const unsigned char expected[] = {
        0xab,                                           /* u8 */
        4,    3,    2,    1,                            /* u32, little endian */
        0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* u64 */
        0,    0,    0,    0,    0,    0,    0xe0, 0xbf, /* -0.5 */
        3,    0,    0,    0,    'h',  0xc3, 0xa9,       /* text */
        'x',  'y',  'z',
    };
    eg_writer writer = {0};
    write_all(&writer);
    assert_ok(eg_writer_status(&writer));
    assert_int_equal(writer.size, sizeof expected);
    assert_memory_equal(writer.data, expected, sizeof expected);
    eg_writer_reset(&writer);
    assert_int_equal(writer.size, 0);
    eg_writer_clear(&writer);
}

static void test_round_trip_and_truncation(void **state)
{
    (void)state;
    eg_writer writer = {0};
    write_all(&writer);
    for (size_t size = 0; size <= writer.size; size++) {
        /* A copy of exactly this size, so that the sanitizer sees a read beyond it. */
        unsigned char *copy = NULL;
        assert_ok(eg_alloc(&copy, size, 1));
        memcpy(copy, writer.data, size);
        eg_reader reader = eg_reader_make(copy, size);
        (void)eg_read_u8(&reader);
        (void)eg_read_u32(&reader);
        uint64_t wide = eg_read_u64(&reader);
        double real = eg_read_f64(&reader);
        char *text = NULL;
        assert_ok(eg_read_text(&reader, &text));
        const char *bytes = eg_read_bytes(&reader, 3);
        if (size == writer.size) {
            assert_ok(eg_reader_status(&reader, true));
            assert_true(wide == 0x1112131415161718U);
            assert_close(real, -0.5, 0);
            assert_string_equal(text, "hé");
            assert_memory_equal(bytes, "xyz", 3);
        } else {
            assert_fails(eg_reader_status(&reader, true), EG_INVALID, "damaged data");
            assert_null(bytes);
        }
        eg_free(text);
        eg_free(copy);
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    (void)eg_read_u8(&reader);
    assert_ok(eg_reader_status(&reader, false));
    assert_fails(eg_reader_status(&reader, true), EG_INVALID, "unexpected bytes after byte 1");
    eg_writer_clear(&writer);
}

static void test_abuse(void **state)
{
    (void)state;
    /* A length far beyond the data, an embedded NUL, and reads after a failure. */
    const unsigned char huge[] = {0xff, 0xff, 0xff, 0xff, 'a'};
    eg_reader reader = eg_reader_make(huge, sizeof huge);
    char *text = NULL;
    assert_ok(eg_read_text(&reader, &text));
    assert_null(text);
    assert_true(reader.failed);
    assert_int_equal(eg_read_u8(&reader), 0);
    assert_null(eg_read_bytes(&reader, 0));

    const unsigned char nul[] = {3, 0, 0, 0, 'a', 0, 'b'};
    reader = eg_reader_make(nul, sizeof nul);
    assert_ok(eg_read_text(&reader, &text));
    assert_null(text);
    assert_fails(eg_reader_status(&reader, false), EG_INVALID, "damaged data");

    reader = eg_reader_make(huge, sizeof huge);
    assert_non_null(eg_read_bytes(&reader, 2));
    assert_null(eg_read_bytes(&reader, SIZE_MAX)); /* at + size would wrap round */
    reader = eg_reader_make(NULL, 0);
    assert_null(eg_read_bytes(&reader, 1));
}

static void test_special_numbers(void **state)
{
    (void)state;
    const double values[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308};
    eg_writer writer = {0};
    for (size_t i = 0; i < 7; i++) {
        eg_write_f64(&writer, values[i]);
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    for (size_t i = 0; i < 7; i++) {
        double value = eg_read_f64(&reader);
        assert_memory_equal(&value, &values[i], sizeof value);
    }
    eg_writer_clear(&writer);
}

static void test_writer_out_of_memory(void **state)
{
    (void)state;
    eg_writer writer = {0};
    eg_memory_fail_after(1);
    eg_write_u8(&writer, 1);
    eg_write_u8(&writer, 2); /* does nothing after a failure, although memory is there again */
    assert_int_equal(writer.size, 0);
    assert_fails(eg_writer_status(&writer), EG_MEMORY, "out of memory");
    eg_writer_reset(&writer);
    eg_write_u8(&writer, 3);
    assert_ok(eg_writer_status(&writer));
    assert_int_equal(writer.data[0], 3);
    eg_writer_clear(&writer);
}

static void test_reals(void **state)
{
    (void)state;
    const eg_real values[3] = {(eg_real)0.1, -0.0F, (eg_real)INFINITY};
    eg_writer writer = {0};
    eg_write_reals(&writer, 3, values);
    assert_ok(eg_writer_status(&writer));
    assert_int_equal(writer.size, 4 + 8 + sizeof values);
    eg_real back[3] = {7, 7, 7};
    const eg_real untouched[3] = {7, 7, 7};
    for (size_t size = 0; size < writer.size; size++) {
        eg_reader reader = eg_reader_make(writer.data, size);
        assert_fails(eg_read_reals(&reader, 3, back, "weights"), EG_INVALID, "damaged data");
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_read_reals(&reader, 2, back, "weights"), EG_INVALID,
                 "saved weights: 3 numbers of 4 bytes, expected 2 of 4");
    writer.data[0] = 8;
    reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_read_reals(&reader, 3, back, "weights"), EG_INVALID,
                 "saved weights: 3 numbers of 8 bytes, expected 3 of 4");
    assert_memory_equal(back, untouched, sizeof back);
    writer.data[0] = 4;
    reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_read_reals(&reader, 3, back, "weights"));
    assert_ok(eg_reader_status(&reader, true));
    assert_memory_equal(back, values, sizeof back);
    eg_writer_clear(&writer);
}

static void test_checksums(void **state)
{
    (void)state;
    /* The check value of CRC-32C, and 32 zero bytes from RFC 3720, B.4. */
    assert_true(eg_crc32c(0, "123456789", 9) == 0xE3069283U);
    const unsigned char zeros[32] = {0};
    assert_true(eg_crc32c(0, zeros, 32) == 0x8A9136AAU);
    assert_true(eg_crc32c(eg_crc32c(0, "1234", 4), "56789", 5) == 0xE3069283U);
    assert_true(eg_crc32c(0, "", 0) == 0);
    /* XXH3 of nothing, as its specification gives it. */
    assert_true(eg_hash64("", 0) == 0x2D06800538D394C2U);
    assert_true(eg_hash64("a", 1) != eg_hash64("b", 1));
}

/* A writer that borrows points to large arrays; its parts are the bytes that another one copies. */
static void test_borrowed_arrays(void **state)
{
    (void)state;
    enum { LARGE = 1 << 17 };
    unsigned char *large = NULL;
    assert_ok(eg_alloc(&large, LARGE, 1));
    for (size_t i = 0; i < LARGE; i++) {
        large[i] = (unsigned char)(i * 7);
    }
    eg_writer copies = {0};
    eg_writer borrows = {.borrows = true};
    for (size_t round = 0; round < 2; round++) {
        eg_writer *both[] = {&copies, &borrows};
        for (size_t k = 0; k < 2; k++) {
            eg_writer_reset(both[k]);
            eg_write_lasting(both[k], large, LARGE);
            eg_write_u32(both[k], 7);
            eg_write_lasting(both[k], large, 10);
            eg_write_lasting(both[k], large + 5, LARGE - 5);
            eg_write_lasting(both[k], large + 9, LARGE - 9);
            if (round == 1) {
                eg_write_u8(both[k], 3);
            }
            assert_ok(eg_writer_status(both[k]));
        }
        assert_true(borrows.size < 100 && copies.size > 3 * (LARGE - 9));
        assert_parts_are(&borrows, &copies);
        assert_int_equal(eg_writer_crc32c(&borrows), eg_crc32c(0, copies.data, copies.size));
        assert_int_equal(eg_writer_crc32c(&copies), eg_crc32c(0, copies.data, copies.size));
    }
    eg_free(large);
    eg_writer_clear(&copies);
    eg_writer_clear(&borrows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_borrowed_arrays),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_round_trip_and_truncation),
        cmocka_unit_test(test_abuse),
        cmocka_unit_test(test_special_numbers),
        cmocka_unit_test(test_writer_out_of_memory),
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
