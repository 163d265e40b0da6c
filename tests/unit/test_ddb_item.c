/* links: puddle_dynamo */
#include "attr.h"
#include "harness.h"
#include <stdlib.h>

#define PREFIX   "One or more parameter values were invalid: "
#define ENVELOPE "1 validation error detected: "

static struct arena *arena;
static struct buf text;
static struct item item;
static struct aws_err err;

/* The item's canonical text, or the error's message. */
static struct str read_as(const char *json, enum attr_wording wording)
{
    struct jval v;
    arena_free(arena);
    arena = arena_new(0, SIZE_MAX);
    if (text.max == 0)
        buf_init(&text, ATTR_TEXT_MAX);
    buf_clear(&text);
    err = (struct aws_err){0};
    if (!json_parse(arena, str_c(json), JSON_DEPTH_DEFAULT, &v, NULL))
        return STR("(not JSON)");
    if (!item_read(v, wording, arena, &text, &item, &err))
        return err.message;
    return item.size > ATTR_ITEM_SIZE_MAX ? STR("(too big)") : item.json;
}

static struct str read_item(const char *json)
{
    return read_as(json, ATTR_ENVELOPED);
}

__attribute__((destructor)) static void release(void)
{
    arena_free(arena);
    buf_release(&text);
}

TEST(canonical_text_keeps_order_and_trims_numbers)
{
    CHECK_STR(read_item("{ \"b\" : {\"N\":\"0042.1200\"}, \"a\":{ \"S\":\"x\\u0041\\/\\n\" } }"),
              "{\"b\":{\"N\":\"42.12\"},\"a\":{\"S\":\"xA/\\n\"}}");
    CHECK_I64(item.count, 2);
    CHECK_STR(item.attrs[1].json, "{\"S\":\"xA/\\n\"}");
    CHECK_STR(item.attrs[1].bytes, "xA/\n");
    CHECK(item_find(&item, STR("b"))->type == ATTR_N);
    CHECK(item_find(&item, STR("c")) == NULL);
    CHECK_STR(read_item("{\"n\":{\"NULL\":true},\"t\":{\"BOOL\":false},\"b\":{\"B\":\"AAE=\"},"
                        "\"l\":{\"L\":[{\"S\":\"\"},{\"M\":{\"x\":{\"NS\":[\"1.0\",\"2\"]}}}]},"
                        "\"e\":{\"M\":{}},\"ss\":{\"SS\":[\"\",\"a\"]},\"bs\":{\"BS\":[\"\"]}}"),
              "{\"n\":{\"NULL\":true},\"t\":{\"BOOL\":false},\"b\":{\"B\":\"AAE=\"},"
              "\"l\":{\"L\":[{\"S\":\"\"},{\"M\":{\"x\":{\"NS\":[\"1\",\"2\"]}}}]},"
              "\"e\":{\"M\":{}},\"ss\":{\"SS\":[\"\",\"a\"]},\"bs\":{\"BS\":[\"\"]}}");
}

TEST(stored_text_reads_back_to_itself)
{
    struct item again;
    struct buf other;
    buf_init(&other, ATTR_TEXT_MAX);
    struct str stored = read_item("{\"a\":{\"L\":[{\"N\":\"1E40\"},{\"S\":\"\\u0000\\\"\"}]}}");
    CHECK(item_read_stored(stored, arena, &other, &again));
    CHECK(str_eq(again.json, stored) && again.size == item.size);
    CHECK(!item_read_stored(STR("{\"a\":{\"S\":1}}"), arena, &other, &again));
    CHECK(!item_read_stored(STR("{\"a\":"), arena, &other, &again));
    buf_release(&other);
}

TEST(last_of_duplicate_names_counts)
{
    CHECK_STR(read_item("{\"a\":{\"S\":\"1\"},\"b\":{\"S\":\"2\"},\"\\u0061\":{\"S\":\"3\"}}"),
              "{\"b\":{\"S\":\"2\"},\"a\":{\"S\":\"3\"}}");
    struct buf json; /* more than the few that are compared pairwise */
    buf_init(&json, 1 << 20);
    buf_addc(&json, '{');
    for (int i = 0; i < 200; i++)
        buf_addf(&json, "%s\"k%d\":{\"N\":\"%d\"}", i ? "," : "", i % 100, i);
    buf_addc(&json, '}');
    buf_addc(&json, '\0');
    read_item(json.p);
    CHECK_I64(item.count, 100);
    for (int i = 0; i < 100; i++) {
        char want[16];
        snprintf(want, sizeof want, "%d", 100 + i);
        CHECK_STR(item.attrs[i].bytes, want);
    }
    buf_release(&json);
}

TEST(values_without_exactly_one_type_are_refused)
{
    CHECK_STR(read_item("{\"a\":{}}"), "Supplied AttributeValue is empty, must contain exactly one "
                                       "of the supported datatypes");
    CHECK_STR(read_item("{\"a\":{\"X\":\"1\"}}"),
              "Supplied AttributeValue is empty, must contain exactly one of the supported "
              "datatypes");
    CHECK_STR(read_item("{\"a\":{\"L\":[{\"S\":null}]}}"),
              "Supplied AttributeValue is empty, must contain exactly one of the supported "
              "datatypes");
    CHECK_STR(read_item("{\"a\":{\"S\":\"1\",\"N\":\"1\"}}"),
              "Supplied AttributeValue has more than one datatypes set, must contain exactly one "
              "of the supported datatypes");
}

TEST(set_rules_and_their_words)
{
    CHECK_STR(read_item("{\"a\":{\"SS\":[]}}"), ENVELOPE PREFIX "An string set  may not be empty");
    CHECK_STR(read_as("{\"a\":{\"SS\":[]}}", ATTR_BARE), PREFIX "An string set  may not be empty");
    CHECK_STR(read_as("{\"a\":{\"NS\":[]}}", ATTR_BARE), PREFIX "An number set  may not be empty");
    CHECK_STR(read_as("{\"a\":{\"BS\":[]}}", ATTR_BARE), PREFIX "Binary sets should not be empty");
    CHECK_STR(read_item("{\"a\":{\"SS\":[\"a\",\"b\",\"b\"]}}"),
              ENVELOPE PREFIX "Input collection [\"a\", \"b\", \"b\"] contains duplicates.");
    CHECK_STR(read_item("{\"a\":{\"BS\":[\"Yg==\",\"Yg==\"]}}"), ENVELOPE PREFIX
              "Input collection [\"Yg==\", \"Yg==\"]of type BS contains duplicates.");
    CHECK_STR(read_item("{\"a\":{\"NS\":[\"1\",\"2\",\"1.0\"]}}"),
              ENVELOPE "Input collection contains duplicates");
    CHECK_STR(read_item("{\"a\":{\"NS\":[\"123456789012345678\",\"123456789012345679\"]}}"),
              "{\"a\":{\"NS\":[\"123456789012345678\",\"123456789012345679\"]}}");
    CHECK_STR(read_item("{\"a\":{\"NS\":[\"\"]}}"),
              ENVELOPE "The parameter cannot be converted to a numeric value: ");
}

TEST(number_and_null_errors_use_awss_words)
{
    CHECK_STR(read_item("{\"a\":{\"N\":\"abc\"}}"),
              ENVELOPE "The parameter cannot be converted to a numeric value: abc");
    CHECK_STR(read_as("{\"a\":{\"N\":\"1e126\"}}", ATTR_BARE),
              "Number overflow. Attempting to store a number with magnitude larger than supported "
              "range");
    CHECK_STR(read_item("{\"a\":{\"NULL\":false}}"),
              PREFIX "Null attribute value types must have the value of true");
}

static struct str nested(int wraps, const char *core)
{
    static struct buf b;
    if (b.max == 0)
        buf_init(&b, 1 << 16);
    buf_clear(&b);
    buf_add(&b, STR("{\"a\":"));
    for (int i = 0; i < wraps; i++)
        buf_add(&b, STR("{\"M\":{\"a\":"));
    buf_add(&b, str_c(core));
    for (int i = 0; i < wraps; i++)
        buf_add(&b, STR("}}"));
    buf_add(&b, STR("}"));
    buf_addc(&b, '\0');
    return buf_view(&b);
}

TEST(thirty_one_wrapped_maps_are_taken_and_thirty_two_are_not)
{
    read_item(nested(31, "{\"S\":\"x\"}").p);
    CHECK(err.kind == NULL);
    CHECK_STR(read_item(nested(32, "{\"S\":\"x\"}").p),
              "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
              "levels beyond supported limit");
    read_item(nested(31, "{\"L\":[]}").p);
    CHECK(err.kind == NULL);
    read_item(nested(31, "{\"L\":[{\"S\":\"x\"}]}").p);
    CHECK(err.kind != NULL);
}

TEST(sizes_are_counted_in_bytes)
{
    static const struct {
        const char *json;
        size_t size;
    } rows[] = {{"{\"a\":{\"S\":\"\"}}", 1},
                {"{\"a\":{\"S\":\"xyz\"}}", 4},
                {"{\"\\u00e4\":{\"S\":\"\\u20ac\"}}", 5},
                {"{\"a\":{\"N\":\"3.14159\"}}", 6},
                {"{\"a\":{\"B\":\"AAE=\"}}", 3},
                {"{\"a\":{\"BOOL\":true}}", 2},
                {"{\"a\":{\"NULL\":true}}", 2},
                {"{\"a\":{\"SS\":[\"x\",\"yz\"]}}", 4},
                {"{\"a\":{\"NS\":[\"1\",\"123\"]}}", 6},
                {"{\"a\":{\"L\":[]}}", 4},
                {"{\"a\":{\"L\":[{\"S\":\"xy\"}]}}", 7},
                {"{\"a\":{\"M\":{\"k\":{\"S\":\"xy\"}}}}", 8},
                {"{}", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        read_item(rows[i].json);
        CHECK(err.kind == NULL);
        CHECK_I64(item.size, rows[i].size);
    }
}

TEST(item_of_400_kib_fits_and_one_byte_more_does_not)
{
    char *json = malloc(ATTR_ITEM_SIZE_MAX + 64);
    for (int extra = 0; extra < 2; extra++) {
        size_t n = ATTR_ITEM_SIZE_MAX - 1 + (size_t)extra;
        char *o = json + sprintf(json, "{\"a\":{\"S\":\"");
        memset(o, 'x', n);
        strcpy(o + n, "\"}}");
        struct str got = read_item(json);
        CHECK(err.kind == NULL);
        CHECK((item.size > ATTR_ITEM_SIZE_MAX) == extra);
        CHECK(extra || got.n == strlen(json));
    }
    free(json);
}

/* Later errors are still found in an item that is too big, and its text does not grow without end.
 */
TEST(numbers_that_expand_stay_within_the_text_limit)
{
    struct buf json;
    buf_init(&json, 16 << 20);
    buf_add(&json, STR("{\"a\":{\"L\":["));
    for (int i = 0; i < 300000; i++)
        buf_add(&json, i ? STR(",{\"N\":\"1e125\"}") : STR("{\"N\":\"1e125\"}"));
    size_t end = json.n;
    buf_add(&json, STR("]}}"));
    buf_addc(&json, '\0');
    read_item(json.p);
    CHECK(err.kind == NULL && item.size > ATTR_ITEM_SIZE_MAX && !text.overflow);
    json.n = end;
    buf_add(&json, STR(",{\"N\":\"x\"}]}}"));
    buf_addc(&json, '\0');
    CHECK_STR(read_item(json.p),
              ENVELOPE "The parameter cannot be converted to a numeric value: x");
    buf_release(&json);
}

TEST(attribute_names_have_limits)
{
    char *json = malloc(ATTR_NAME_MAX + 64);
    CHECK_STR(read_item("{\"\":{\"S\":\"x\"}}"), ENVELOPE "Empty attribute name");
    for (int extra = 0; extra < 2; extra++) {
        size_t n = ATTR_NAME_MAX + (size_t)extra;
        strcpy(json, "{\"");
        memset(json + 2, 'n', n);
        strcpy(json + 2 + n, "\":{\"S\":\"x\"}}");
        read_item(json);
        CHECK((err.kind != NULL) == extra);
    }
    free(json);
}

TEST(key_bytes_of_equal_numbers_are_equal)
{
    struct str a, b;
    read_item("{\"a\":{\"N\":\"1000\"},\"b\":{\"N\":\"1e3\"},\"c\":{\"B\":\"AAE=\"}}");
    a = attr_key_bytes(&item.attrs[0], arena);
    b = attr_key_bytes(&item.attrs[1], arena);
    CHECK(str_eq(a, b));
    CHECK_I64(attr_key_bytes(&item.attrs[2], arena).n, 2);
}
