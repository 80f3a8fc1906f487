/** Finding components, and the nearest valid spelling. */
#include "testing.h"

#include "engram/params.h"

static const eg_component cat = {.name = "cat"};
static const eg_component dog = {.name = "dog"};
static const eg_component *const members[] = {&cat, &dog};
static const eg_family animals = {.name = "animal", .members = members, .member_count = 2};
static const eg_family *const families[] = {&animals};
static const eg_schema schema = {.families = families, .family_count = 1};

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(eg_family_find(&animals, "dog"), &dog);
    assert_null(eg_family_find(&animals, "do"));
    assert_null(eg_family_find(&animals, "dogs"));
    assert_ptr_equal(eg_schema_family(&schema, "animal"), &animals);
    assert_null(eg_schema_family(&schema, "plant"));
}

static const char *nearest(const char *word)
{
    static const char *const words[] = {"optimizer", "lr", "hard_ash", "hard_sigmoid", "relu"};
    eg_nearest found = {0};
    for (size_t i = 0; i < EG_COUNT(words); i++) {
        eg_nearest_offer(&found, word, words[i]);
    }
    return found.best;
}

static void test_nearest(void **state)
{
    (void)state;
    assert_string_equal(nearest("optimiser"), "optimizer");
    assert_string_equal(nearest("optmizer"), "optimizer");
    assert_string_equal(nearest("hardash"), "hard_ash");
    assert_string_equal(nearest("hard_sigmiod"), "hard_sigmoid"); /* a swap counts once */
    assert_string_equal(nearest("rl"), "lr");
    assert_string_equal(nearest("relu"), "relu");
    assert_null(nearest("dropout"));
    assert_null(nearest("xy"));
    /* Longer than any name: not compared, not crashed on. */
    assert_null(nearest("a_word_that_is_much_longer_than_any_name_could_ever_be_in_a_sweep_file_so_"
                        "that_the_table_would_overflow_if_it_were_used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
