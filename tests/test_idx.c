/** Reading IDX files: right ones, plain and gzip, and everything that can be wrong with one. */
#include "testing.h"

#include "data/idx.h"
#include "engram/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static char directory[64];
static char path[128];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    (void)snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return 0;
}

/* Two images of 2 x 3. */
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                       0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255};
enum { HEADER = 16, DATA = 12 };

static void write_plain(const void *data, size_t size)
{
    eg_test_write_file(path, data, size);
}

/* The compressed bytes of `data` as a gzip file. */
static size_t compress_gzip(const void *data, size_t size, unsigned char *out, size_t capacity)
{
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, data, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    FILE *raw = fopen(path, "rb");
    assert_non_null(raw);
    size_t got = fread(out, 1, capacity, raw);
    assert_int_equal(fclose(raw), 0);
    assert_true(got > 0 && got < capacity);
    return got;
}

static void assert_images_read(void)
{
    eg_idx idx;
    assert_ok(eg_idx_read(&idx, path, 3));
    assert_int_equal(idx.rank, 3);
    assert_int_equal(idx.dims[0], 2);
    assert_int_equal(idx.dims[1], 2);
    assert_int_equal(idx.dims[2], 3);
    assert_int_equal(idx.size, DATA);
    assert_memory_equal(idx.data, images + HEADER, DATA);
    eg_idx_clear(&idx);
}

static void assert_refused(size_t rank, const char *part)
{
    eg_idx idx;
    size_t live = eg_memory_live_blocks();
    eg_status status = eg_idx_read(&idx, path, rank);
    assert_fails(status, EG_INVALID, part);
    assert_fails(status, EG_INVALID, path);
    assert_null(idx.data);
    assert_int_equal(eg_memory_live_blocks(), live);
}

static void test_plain_and_gzip(void **state)
{
    (void)state;
    write_plain(images, sizeof images);
    assert_images_read();
    unsigned char packed[256];
    (void)compress_gzip(images, sizeof images, packed, sizeof packed);
    assert_images_read();
}

/* The pages of a plain file are the page cache's: nothing is copied. */
static void test_plain_is_mapped(void **state)
{
    (void)state;
    write_plain(images, sizeof images);
    size_t live = eg_memory_live_blocks();
    eg_idx idx;
    assert_ok(eg_idx_read(&idx, path, 3));
    assert_int_equal(eg_memory_live_blocks(), live);
    assert_null(idx.block);
    assert_int_equal(idx.mapping.size, sizeof images);
    assert_ptr_equal(idx.data, (const uint8_t *)idx.mapping.address + HEADER);
    eg_idx_clear(&idx);
    assert_null(idx.mapping.address);
    eg_idx_clear(&idx);
}

static void test_labels(void **state)
{
    (void)state;
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9};
    write_plain(labels, sizeof labels);
    eg_idx idx;
    assert_ok(eg_idx_read(&idx, path, 1));
    assert_int_equal(idx.size, 3);
    assert_memory_equal(idx.data, labels + 8, 3);
    eg_idx_clear(&idx);
}

static void test_not_readable(void **state)
{
    (void)state;
    (void)remove(path);
    assert_refused(3, "No such file or directory");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(3, "is not a regular file");
    assert_int_equal(remove(path), 0);
}

static void test_wrong_magic(void **state)
{
    (void)state;
    write_plain(images, sizeof images);
    assert_refused(1, "wrong magic number 0x00000803; expected 0x00000801");
    write_plain("<html>Not Found</html>", 22);
    assert_refused(3, "wrong magic number 0x3c68746d; expected 0x00000803");
}

static void test_truncated(void **state)
{
    (void)state;
    write_plain(images, 0);
    assert_refused(3, "truncated: has 0 bytes of data; the header alone has 16");
    write_plain(images, 10);
    assert_refused(3, "truncated: has 10 bytes of data; the header alone has 16");
    write_plain(images, sizeof images - 1);
    assert_refused(3, "truncated: the header promises 12 bytes of data, the file holds 11");
    unsigned char packed[256];
    (void)compress_gzip(images, sizeof images - 1, packed, sizeof packed);
    assert_refused(3, "truncated: the header promises 12 bytes of data, the file holds 11");
}

static void test_trailing_bytes(void **state)
{
    (void)state;
    unsigned char longer[sizeof images + 1] = {0};
    memcpy(longer, images, sizeof images);
    write_plain(longer, sizeof longer);
    assert_refused(3, "trailing bytes after the 12 bytes");
    unsigned char packed[256];
    (void)compress_gzip(longer, sizeof longer, packed, sizeof packed);
    assert_refused(3, "trailing bytes after the 12 bytes");
}

static void test_dimensions(void **state)
{
    (void)state;
    unsigned char bad[sizeof images];
    for (size_t d = 0; d < 3; d++) {
        memcpy(bad, images, sizeof bad);
        memset(bad + 4 + 4 * d, 0, 4);
        write_plain(bad, sizeof bad);
        char part[32];
        (void)snprintf(part, sizeof part, "dimension %zu is 0", d + 1);
        assert_refused(3, part);
    }
    memset(bad + 4, 255, 12); /* (2^32 - 1)^3 */
    write_plain(bad, sizeof bad);
    assert_refused(3, "more than any memory holds");
    memset(bad + 4, 0, 12);
    bad[4] = 127; /* 127 * 2^24 images of one byte: must be refused before memory is asked for */
    bad[11] = 1;
    bad[15] = 1;
    write_plain(bad, sizeof bad);
    assert_refused(3, "promises 2130706432 bytes of data, the file holds 12");
    unsigned char packed[256];
    (void)compress_gzip(bad, sizeof bad, packed, sizeof packed);
    assert_refused(3, "promises 2130706432 bytes of data, the file holds at most");
}

/* Every way to cut a gzip file short, and every single damaged byte of its data and check sum. */
static void test_damaged_gzip(void **state)
{
    (void)state;
    enum { FIRST_BYTES = 10 /* gzip's own header */ };
    unsigned char packed[256];
    size_t size = compress_gzip(images, sizeof images, packed, sizeof packed);
    for (size_t cut = FIRST_BYTES; cut < size; cut++) {
        write_plain(packed, cut);
        assert_refused(3, "truncated");
    }
    for (size_t i = FIRST_BYTES; i < size; i++) {
        packed[i] ^= 0x10;
        write_plain(packed, size);
        assert_refused(3, path);
        packed[i] ^= 0x10;
    }
    packed[size - 8] ^= 1; /* the check sum */
    write_plain(packed, size);
    assert_refused(3, "corrupt gzip data (incorrect data check)");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    unsigned char packed[256];
    (void)compress_gzip(images, sizeof images, packed, sizeof packed);
    size_t live = eg_memory_live_blocks();
    eg_idx idx;
    eg_memory_fail_after(1);
    assert_fails(eg_idx_read(&idx, path, 3), EG_MEMORY, "12 bytes");
    eg_memory_fail_after(0);
    assert_null(idx.data);
    assert_int_equal(eg_memory_live_blocks(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip), cmocka_unit_test(test_plain_is_mapped),
        cmocka_unit_test(test_labels),         cmocka_unit_test(test_not_readable),
        cmocka_unit_test(test_wrong_magic),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_trailing_bytes), cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_damaged_gzip),   cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
