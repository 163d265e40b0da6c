/* links: puddle_aws */
#include "codec.h"
#include "hash.h"
#include "wire_fixture.h"
#include <stdio.h>
#include <stdlib.h>

static size_t reply_bytes;
static bool refuse_identity;

static enum call_status list(struct call *c)
{
    char *filler = malloc(reply_bytes + 1);
    memset(filler, 'a', reply_bytes);
    json_obj(&c->out, NULL);
    json_str(&c->out, "x", (struct str){filler, reply_bytes});
    json_end(&c->out);
    free(filler);
    return CALL_DONE;
}

static enum call_status fail_with_members(struct call *c)
{
    aws_fail(&c->err, c->arena, &DYNAMODB_ConditionalCheckFailedException,
             "The conditional request failed");
    c->err.members = STR("\"Item\":{\"a\":{\"S\":\"b\"}}");
    return CALL_FAILED;
}

static struct op ops[] = {{"ListTables", list, false, NULL},
                          {"PutItem", fail_with_members, true, NULL}};
static struct service svc = {.id = "dynamodb",
                             .label = "DynamoDB_20120810",
                             .protocol = WIRE_JSON,
                             .model = &dynamodb_model,
                             .ops = ops,
                             .op_count = sizeof ops / sizeof *ops,
                             .internal_error = &DYNAMODB_InternalServerError};

static bool auth(void *arg, struct call *c)
{
    (void)arg;
    return !refuse_identity || aws_fail(&c->err, c->arena, &AWS_MissingAuthenticationTokenException,
                                        "Request is missing Authentication Token");
}

static struct http_resp send(struct arena *a, const char *op, const char *headers, struct str body)
{
    struct wire_answer answer;
    service_init(&svc);
    struct str head = arena_fmt(a, "POST / HTTP/1.1\nHost: localhost\n%s\n", headers);
    struct http_req *req = wire_request(a, head.p);
    req->body = body;
    struct call *c = wire_call(a, &svc, NULL, req, &answer);
    wire_json_run(c, str_c(op), auth, NULL);
    if (answer.replies != 1)
        test_fail(__FILE__, __LINE__, "%d replies", answer.replies);
    return answer.resp;
}

#define JSON10 "Content-Type: application/x-amz-json-1.0\n"

TEST(other_content_types_are_refused_before_anything_else)
{
    static const char *const types[] = {"Content-Type: application/x-amz-json-1.1\n",
                                        "Content-Type: text/plain\n", ""};
    struct arena *a = arena_new(0, SIZE_MAX);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct http_resp r = send(a, "ListTables", types[i], STR("no json"));
        CHECK_I64(r.status, 404);
        CHECK_STR(r.body, "<UnknownOperationException/>\n");
        CHECK_STR(wire_header(&r, "x-amz-crc32"), "3552371480");
        CHECK(wire_header(&r, "Content-Type").p == NULL);
    }
    arena_free(a);
}

TEST(the_reply_has_the_requests_json_type_without_parameters)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct http_resp r = send(a, "ListTables", JSON10, STR("{}"));
    CHECK_STR(wire_header(&r, "Content-Type"), "application/x-amz-json-1.0");
    r = send(a, "ListTables", "Content-Type: application/json; charset=utf-8\n", STR("{}"));
    CHECK_STR(wire_header(&r, "Content-Type"), "application/json");
    CHECK_I64(r.status, 200);
    arena_free(a);
}

TEST(a_body_that_is_not_a_json_object_has_no_message)
{
    static const char *const bodies[] = {"", "{", "[]", "1", "null", "{}x", "{\"a\":1,}", "\xff"};
    struct arena *a = arena_new(0, SIZE_MAX);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct http_resp r = send(a, "Unknown", JSON10, str_c(bodies[i]));
        CHECK_I64(r.status, 400);
        CHECK_STR(r.body, "{\"__type\":\"com.amazon.coral.service#SerializationException\"}");
        CHECK_STR(wire_header(&r, "x-amz-crc32"), "3948637019");
    }
    arena_free(a);
}

TEST(an_unknown_operation_is_refused_before_authentication)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    refuse_identity = true;
    struct http_resp r = send(a, "Nothing", JSON10, STR("{}"));
    refuse_identity = false;
    CHECK_I64(r.status, 400);
    CHECK_STR(r.body, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}");
    CHECK_STR(wire_header(&r, "x-amz-crc32"), "1368724161");
    arena_free(a);
}

TEST(authentication_comes_before_types_and_limits)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    refuse_identity = true;
    struct http_resp r = send(a, "PutItem", JSON10, STR("{\"TableName\":5}"));
    refuse_identity = false;
    CHECK_STR(r.body,
              "{\"__type\":\"com.amazon.coral.service#MissingAuthenticationTokenException\","
              "\"message\":\"Request is missing Authentication Token\"}");
    r = send(a, "PutItem", JSON10, STR("{\"TableName\":5}"));
    CHECK(str_starts(r.body, STR("{\"__type\":\"com.amazon.coral.service#SerializationException\","
                                 "\"Message\":")));
    arena_free(a);
}

TEST(an_errors_own_members_follow_the_message)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct http_resp r =
        send(a, "PutItem", JSON10, STR("{\"TableName\":\"abc\",\"Item\":{\"a\":{\"S\":\"b\"}}}"));
    CHECK_I64(r.status, 400);
    CHECK_STR(r.body,
              "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","
              "\"message\":\"The conditional request failed\",\"Item\":{\"a\":{\"S\":\"b\"}}}");
    arena_free(a);
}

TEST(every_reply_has_a_request_id_of_52_and_the_crc_of_its_bytes)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    char crc[16];
    struct http_resp r = send(a, "ListTables", JSON10, STR("{}"));
    struct str id = wire_header(&r, "x-amzn-RequestId");
    CHECK_I64(id.n, 52);
    for (size_t i = 0; i < id.n; i++)
        CHECK((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'A' && id.p[i] <= 'Z'));
    snprintf(crc, sizeof crc, "%u", hash_crc32(r.body));
    CHECK_STR(wire_header(&r, "x-amz-crc32"), crc);
    arena_free(a);
}

TEST(replies_above_4096_bytes_are_gzipped_when_asked)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct str plain;
    char crc[16];
    reply_bytes = 4096 - 8; /* {"x":""} around it: 4096 in all */
    struct http_resp r = send(a, "ListTables", JSON10 "Accept-Encoding: gzip\n", STR("{}"));
    CHECK_I64(r.body.n, 4096);
    CHECK(wire_header(&r, "Content-Encoding").p == NULL);
    reply_bytes++;
    static const char *const asking[] = {"gzip", "deflate, gzip;q=0.5", "GZIP, br"};
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
        r = send(a, "ListTables", arena_fmt(a, JSON10 "Accept-Encoding: %s\n", asking[i]).p,
                 STR("{}"));
        CHECK_STR(wire_header(&r, "Content-Encoding"), "gzip");
        CHECK(codec_gunzip(a, r.body, 1 << 20, &plain) == GUNZIP_OK);
        CHECK_I64(plain.n, 4097);
        snprintf(crc, sizeof crc, "%u", hash_crc32(r.body)); /* over the bytes as sent */
        CHECK_STR(wire_header(&r, "x-amz-crc32"), crc);
    }
    static const char *const not_asking[] = {"identity", "gzip;q=0", "br"};
    for (size_t i = 0; i < sizeof not_asking / sizeof *not_asking; i++) {
        r = send(a, "ListTables", arena_fmt(a, JSON10 "Accept-Encoding: %s\n", not_asking[i]).p,
                 STR("{}"));
        CHECK(wire_header(&r, "Content-Encoding").p == NULL);
        CHECK_I64(r.body.n, 4097);
    }
    reply_bytes = 0;
    arena_free(a);
}

TEST(a_gzipped_request_is_unpacked_and_a_broken_one_is_an_internal_error)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct str packed = codec_gzip(a, STR("{}"));
    struct http_resp r = send(a, "ListTables", JSON10 "Content-Encoding: gzip\n", packed);
    CHECK_I64(r.status, 200);
    r = send(a, "ListTables", JSON10 "Content-Encoding: gzip\n", str_sub(packed, 0, packed.n - 3));
    CHECK_I64(r.status, 500);
    CHECK_STR(r.body, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\"}");
    r = send(a, "ListTables", JSON10 "Content-Encoding: gzip\n", STR("{}"));
    CHECK_I64(r.status, 500);
    arena_free(a);
}

TEST(a_body_may_have_16_mib_and_no_more_packed_or_not)
{
    enum { LIMIT = 16 << 20 };
    struct arena *a = arena_new(0, SIZE_MAX);
    char *bytes = arena_alloc_raw(a, LIMIT + 1);
    memset(bytes, ' ', LIMIT + 1);
    bytes[0] = '{', bytes[1] = '}';
    struct http_resp r = send(a, "ListTables", JSON10, (struct str){bytes, LIMIT});
    CHECK_I64(r.status, 200);
    r = send(a, "ListTables", JSON10, (struct str){bytes, LIMIT + 1});
    CHECK_I64(r.status, 413);
    struct str packed = codec_gzip(a, (struct str){bytes, LIMIT});
    r = send(a, "ListTables", JSON10 "Content-Encoding: gzip\n", packed);
    CHECK_I64(r.status, 200);
    packed = codec_gzip(a, (struct str){bytes, LIMIT + 1});
    r = send(a, "ListTables", JSON10 "Content-Encoding: gzip\n", packed);
    CHECK_I64(r.status, 413);
    arena_free(a);
}
