/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_fixture.h"

#define VE      "ValidationException: "
#define INVALID VE "One or more parameter values were invalid: "
#define ARN     "arn:aws:dynamodb:us-east-1:000000000000:table/abc"

static bool open_table(const char *more)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    return fx_open(NULL) &&
           str_starts(fx_call("CreateTable", FX("{\"TableName\":\"abc\"," FX_HASH "%s}", more)),
                      STR("{"));
}

static void close_all(void)
{
    fx_close();
    clock_fake_off();
}

static struct str tag(const char *tags)
{
    return fx_call("TagResource", FX("{\"ResourceArn\":\"" ARN "\",\"Tags\":[%s]}", tags));
}

static struct str untag(const char *keys)
{
    return fx_call("UntagResource", FX("{\"ResourceArn\":\"" ARN "\",\"TagKeys\":[%s]}", keys));
}

static struct str tags(void)
{
    return fx_get(fx_call("ListTagsOfResource", "{\"ResourceArn\":\"" ARN "\"}"), "Tags");
}

#define TAG(k, v) "{\"Key\":\"" k "\",\"Value\":\"" v "\"}"

TEST(tags_are_set_replaced_listed_and_taken_away)
{
    CHECK(open_table(",\"Tags\":[" TAG("from", "start") "]"));
    CHECK_STR(tags(), "[" TAG("from", "start") "]");
    CHECK_STR(tag(TAG("a", "1") "," TAG("b", "")), "");
    CHECK_STR(tag(TAG("a", "2")), "");
    CHECK_STR(tags(), "[" TAG("from", "start") "," TAG("b", "") "," TAG("a", "2") "]");
    CHECK_STR(untag("\"b\",\"from\",\"not there\""), "");
    CHECK_STR(tags(), "[" TAG("a", "2") "]");
    fx_call("UpdateTable", "{\"TableName\":\"abc\",\"DeletionProtectionEnabled\":true}");
    CHECK_STR(tags(), "[" TAG("a", "2") "]");
    CHECK_STR(tag(TAG("\\u00e4 +-=._:/9", "\\u20ac")), "");
    close_all();
}

TEST(bad_tags_get_awss_words)
{
    CHECK(open_table(""));
    CHECK_STR(tag(""), VE "Atleast one Tag needs to be provided as Input.");
    CHECK_STR(untag(""), VE "Atleast one Tag Key needs to be provided as Input.");
    CHECK_STR(tag(TAG("", "x")), VE "The Tag Key provided is invalid, Key: ");
    CHECK_STR(tag(TAG("a#", "x")), VE "The Tag Key provided is invalid, Key: a#");
    CHECK_STR(tag(TAG("a", "x@y")), VE "The Tag Value provided is invalid, Value: x@y");
    CHECK_STR(tag("{\"Key\":\"a\"}"), VE "The Tag Value provided is invalid, Value: null");
    CHECK_STR(tag(TAG("aws:x", "y")), VE "Tag Key cannot be prefixed with aws:, Key: aws:x");
    CHECK_STR(tag(TAG("good", "1") "," TAG("aws:x", "y")),
              VE "Tag Key cannot be prefixed with aws:, Key: aws:x");
    CHECK_STR(tag(TAG("dup", "1") "," TAG("dup", "2")),
              VE "Duplicate Tag Keys provided as input: Duplicate Tag Key found dup");
    const char *k128 = fx_repeat('k', 128), *k129 = fx_repeat('k', 129);
    CHECK_STR(tag(FX("{\"Key\":\"%s\",\"Value\":\"%s\"}", k128, fx_repeat('v', 256))), "");
    CHECK_STR(tag(FX("{\"Key\":\"%s\",\"Value\":\"\"}", k129)),
              FX(VE "The Tag Key provided is invalid, Key: %s", k129));
    CHECK_STR(tag(FX("{\"Key\":\"a\",\"Value\":\"%s\"}", fx_repeat('v', 257))),
              FX(VE "The Tag Value provided is invalid, Value: %s", fx_repeat('v', 257)));
    CHECK_STR(untag(FX("\"%s\"", k129)), FX(VE "The Tag Key provided is invalid, Key: %s", k129));
    CHECK_STR(fx_get(tags(), "1"), "(missing)");
    close_all();
}

TEST(fifty_tags_and_no_more)
{
    CHECK(open_table(""));
    struct str list = STR("");
    for (int i = 0; i < 50; i++)
        list = arena_fmt(fx_arena, "%.*s%s{\"Key\":\"k%d\",\"Value\":\"v\"}", STR_ARG(list),
                         i ? "," : "", i);
    CHECK_STR(tag(FX("%.*s," TAG("one", "more"), STR_ARG(list))),
              VE "Number of Tags exceed the current limit for the provided ResourceArn");
    CHECK_STR(tag(list.p), "");
    CHECK_STR(tag(TAG("k7", "again")), "");
    CHECK_STR(tag(TAG("one", "more")),
              VE "Number of Tags exceed the current limit for the provided ResourceArn");
    CHECK_STR(fx_get(tags(), "49/Key"), "\"k7\"");
    CHECK_STR(fx_get(tags(), "50"), "(missing)");
    close_all();
}

TEST(tags_of_what_is_not_a_table_here)
{
    static const struct {
        const char *arn, *want;
    } rows[] = {
        {"abc", INVALID "ARNs must start with 'arn:': abc"},
        {"arn:aws:lambda:us-east-1:000000000000:function:f",
         INVALID "Provided Arn is not a DynamoDB resource arn: "
                 "arn:aws:lambda:us-east-1:000000000000:function:f"},
        {ARN "/index/x", INVALID "Invalid resource arn provided, only table or stream is accepted. "
                                 "Provided resource arn: " ARN "/index/x"},
        {"arn:aws:dynamodb:eu-west-1:000000000000:table/abc",
         VE "Invalid TableArn: Invalid ResourceArn provided as input "
            "arn:aws:dynamodb:eu-west-1:000000000000:table/abc"},
        {"arn:aws:dynamodb:us-east-1:000000000000:table/none",
         "ResourceNotFoundException: Requested resource not found: ResourcArn: "
         "arn:aws:dynamodb:us-east-1:000000000000:table/none not found"},
    };
    CHECK(open_table(""));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_STR(fx_call("ListTagsOfResource", FX("{\"ResourceArn\":\"%s\"}", rows[i].arn)),
                  rows[i].want);
        CHECK_STR(fx_call("TagResource",
                          FX("{\"ResourceArn\":\"%s\",\"Tags\":[" TAG("a", "b") "]}", rows[i].arn)),
                  rows[i].want);
    }
    CHECK_STR(fx_call("CreateTable",
                      "{\"TableName\":\"bad\"," FX_HASH ",\"Tags\":[" TAG("aws:", "") "]}"),
              VE "Tag Key cannot be prefixed with aws:, Key: aws:");
    CHECK(str_starts(fx_call("DescribeTable", "{\"TableName\":\"bad\"}"),
                     STR("ResourceNotFoundException")));
    close_all();
}

TEST(limits_and_endpoints_are_told)
{
    CHECK(open_table(""));
    CHECK_STR(fx_call("DescribeLimits", "{}"),
              "{\"AccountMaxReadCapacityUnits\":80000,\"AccountMaxWriteCapacityUnits\":80000,"
              "\"TableMaxReadCapacityUnits\":40000,\"TableMaxWriteCapacityUnits\":40000}");
    CHECK_STR(fx_call("DescribeEndpoints", "{}"),
              "{\"Endpoints\":[{\"Address\":\"dynamodb.us-east-1.amazonaws.com\","
              "\"CachePeriodInMinutes\":1440}]}");
    close_all();
}

#define DOC(sid)                                                                                   \
    "{ \\\"Version\\\": \\\"2012-10-17\\\", \\\"Statement\\\": [{\\\"Sid\\\": \\\"" sid            \
    "\\\", \\\"Effect\\\": \\\"Allow\\\", \\\"Resource\\\": \\\"" ARN "\\\"}]}"

static struct str put_policy(const char *doc, const char *more)
{
    return fx_call("PutResourcePolicy",
                   FX("{\"ResourceArn\":\"" ARN "\",\"Policy\":\"%s\"%s}", doc, more));
}

TEST(policies_are_kept_by_revision)
{
#define GET       "GetResourcePolicy", "{\"ResourceArn\":\"" ARN "\"}"
#define DEL(more) "DeleteResourcePolicy", "{\"ResourceArn\":\"" ARN "\"" more "}"
#define REV(n)    ",\"ExpectedRevisionId\":\"" n "\""
#define NONE                                                                                       \
    "PolicyNotFoundException: Resource-based policy not found for the provided ResourceArn: "
    CHECK(open_table(""));
    CHECK_STR(fx_call(GET), NONE ARN);
    CHECK_STR(fx_call(DEL("")), "{}");
    CHECK(str_starts(put_policy(DOC("a"), REV("1")), STR(NONE)));
    CHECK_STR(put_policy(DOC("a"), REV("NO_POLICY")), "{\"RevisionId\":\"1700000000123\"}");
    CHECK_STR(fx_get(fx_call(GET), "RevisionId"), "\"1700000000123\"");
    CHECK_STR(fx_get(fx_call(GET), "Policy"),
              "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Sid\\\":\\\"a\\\","
              "\\\"Effect\\\":\\\"Allow\\\",\\\"Resource\\\":\\\"" ARN "\\\"}]}\"");
    CHECK_STR(put_policy(DOC("a"), ""), "{\"RevisionId\":\"1700000000123\"}");
    CHECK_STR(put_policy(DOC("b"), ""), "{\"RevisionId\":\"1700000000124\"}");
    CHECK_STR(put_policy(DOC("c"), REV("1700000000123")),
              NONE "Requested update for policy with revision id 1700000000123, but the policy "
                   "associated to target table abc has revision id 1700000000124.");
    CHECK(str_starts(put_policy(DOC("c"), REV("NO_POLICY")), STR(NONE)));
    CHECK(str_starts(fx_call(DEL(REV("5"))), STR(NONE)));
    CHECK_STR(fx_call(DEL(REV("1700000000124"))), "{\"RevisionId\":\"1700000000124\"}");
    CHECK_STR(fx_call(GET), NONE ARN);
    close_all();
}

TEST(bad_policies_are_refused)
{
    CHECK(open_table(",\"ResourcePolicy\":\"" DOC("start") "\""));
    CHECK_STR(fx_get(fx_call(GET), "RevisionId"), "\"1700000000123\"");
    CHECK_STR(put_policy("{not json", ""),
              INVALID "Invalid policy document: This policy contains invalid Json");
    CHECK_STR(put_policy("{}", ""),
              INVALID "Invalid policy document: Could not parse the policy: Statement is empty!");
    CHECK_STR(put_policy("{\\\"Statement\\\":[{}]}", ""),
              INVALID "Invalid policy document: Missing required field Resource");
    CHECK_STR(put_policy("{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\"}}", ""),
              INVALID "Invalid policy document: Missing required field Resource");
    CHECK_STR(put_policy(fx_repeat('x', 20481), ""),
              INVALID "Maximum policy size of 20480 bytes exceeded");
    CHECK_STR(fx_call("GetResourcePolicy", "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:"
                                           "000000000000:table/none\"}"),
              "ResourceNotFoundException: Requested resource not found: Table: none not found");
    CHECK_STR(
        fx_call("CreateTable", "{\"TableName\":\"bad\"," FX_HASH ",\"ResourcePolicy\":\"{}\"}"),
        INVALID "Invalid policy document: Could not parse the policy: Statement is empty!");
    CHECK_I64(ddb_table_count(fx), 1);
    close_all();
}

static struct str insights(const char *action, const char *more)
{
    return fx_get(
        fx_call("UpdateContributorInsights",
                FX("{\"TableName\":\"abc\",\"ContributorInsightsAction\":\"%s\"%s}", action, more)),
        "ContributorInsightsStatus");
}

TEST(contributor_insights_are_kept_per_table_and_index)
{
    CHECK(open_table(",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{"
                     "\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],\"Projection\":{"
                     "\"ProjectionType\":\"ALL\"}}]"));
#define DESCRIBE(more) fx_call("DescribeContributorInsights", "{\"TableName\":\"abc\"" more "}")
#define OF_GSI         ",\"IndexName\":\"gsi\""
    CHECK_STR(DESCRIBE(""), "{\"TableName\":\"abc\",\"ContributorInsightsStatus\":\"DISABLED\"}");
    CHECK_STR(insights("DISABLE", ""), "\"DISABLED\"");
    CHECK_STR(insights("ENABLE", ""), "\"ENABLING\"");
    CHECK_STR(insights("ENABLE", ""), "\"ENABLED\"");
    CHECK_STR(insights("ENABLE", ",\"ContributorInsightsMode\":\"THROTTLED_KEYS\""),
              "\"ENABLING\"");
    CHECK_STR(insights("ENABLE", OF_GSI), "\"ENABLING\"");
    CHECK_STR(
        DESCRIBE(""),
        "{\"TableName\":\"abc\",\"ContributorInsightsStatus\":\"ENABLED\","
        "\"LastUpdateDateTime\":1700000000.123,\"ContributorInsightsMode\":\"THROTTLED_KEYS\"}");
    struct str l = fx_call("ListContributorInsights", "{\"MaxResults\":1}");
    CHECK_STR(fx_get(l, "ContributorInsightsSummaries/0/IndexName"), "(missing)");
    CHECK_STR(fx_get(l, "NextToken"), "\"1\"");
    l = fx_call("ListContributorInsights", "{\"TableName\":\"abc\",\"NextToken\":\"1\"}");
    CHECK_STR(fx_get(l, "ContributorInsightsSummaries/0/IndexName"), "\"gsi\"");
    CHECK_STR(fx_get(l, "NextToken"), "(missing)");
    CHECK_STR(insights("DISABLE", ""), "\"DISABLING\"");
    CHECK_STR(fx_get(DESCRIBE(""), "ContributorInsightsStatus"), "\"DISABLED\"");
    CHECK_STR(fx_get(DESCRIBE(OF_GSI), "ContributorInsightsStatus"), "\"ENABLED\"");
    CHECK(str_starts(DESCRIBE(",\"IndexName\":\"none\""), STR("ResourceNotFoundException: ")));
    close_all();
}

#define KDS(n) ",\"StreamArn\":\"arn:aws:kinesis:us-east-1:000000000000:stream/k" #n "\""

static struct str kinesis(const char *verb, const char *more)
{
    return fx_call(FX("%sKinesisStreamingDestination", verb),
                   FX("{\"TableName\":\"abc\"%s}", more));
}

/* EnableKinesisStreamingDestination, DisableKinesisStreamingDestination,
 * UpdateKinesisStreamingDestination, DescribeKinesisStreamingDestination */
TEST(kinesis_destination_is_kept_and_described)
{
#define STATE VE "Table is not in a valid state to enable Kinesis Streaming Destination: "
#define CONF(verb, p)                                                                              \
    ",\"" verb "KinesisStreamingConfiguration\":{\"ApproximateCreationDateTimePrecision\":\"" p    \
    "\"}"
    CHECK(open_table(""));
    CHECK_STR(kinesis("Describe", ""),
              "{\"TableName\":\"abc\",\"KinesisDataStreamDestinations\":[]}");
    CHECK_STR(kinesis("Disable", KDS(1)),
              STATE "KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.");
    CHECK_STR(fx_get(kinesis("Enable", KDS(1)), "DestinationStatus"), "\"ENABLING\"");
    CHECK_STR(fx_get(kinesis("Describe", ""), "KinesisDataStreamDestinations"),
              "[{\"StreamArn\":\"arn:aws:kinesis:us-east-1:000000000000:stream/k1\","
              "\"DestinationStatus\":\"ACTIVE\"}]");
    CHECK_STR(kinesis("Enable", KDS(2)), STATE
              "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform "
              "ENABLE operation.");
    CHECK_STR(kinesis("Update", KDS(1)),
              VE "Streaming destination cannot be updated with given parameters: "
                 "UpdateKinesisStreamingConfiguration cannot be null or contain only null values");
    CHECK(str_starts(kinesis("Update", KDS(1) CONF("Update", "MILLISECOND")),
                     STR(VE "Invalid Request: Precision is already set to the desired value of "
                            "MILLISECOND for tableId: ")));
    CHECK_STR(fx_get(kinesis("Update", KDS(1) CONF("Update", "MICROSECOND")), "DestinationStatus"),
              "\"UPDATING\"");
    CHECK_STR(kinesis("Disable", KDS(1) CONF("Enable", "MICROSECOND")),
              VE "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters");
    CHECK_STR(fx_get(kinesis("Disable", KDS(1)), "DestinationStatus"), "\"DISABLING\"");
    CHECK_STR(fx_get(kinesis("Describe", ""), "KinesisDataStreamDestinations/0/DestinationStatus"),
              "\"DISABLED\"");
    CHECK(str_starts(kinesis("Update", KDS(1) CONF("Update", "MILLISECOND")),
                     STR(STATE "Kinesis streaming is not in ACTIVE state.")));
    CHECK_STR(fx_get(kinesis("Enable", KDS(2) CONF("Enable", "MICROSECOND")),
                     "EnableKinesisStreamingConfiguration"),
              "{\"ApproximateCreationDateTimePrecision\":\"MICROSECOND\"}");
    CHECK_STR(fx_get(kinesis("Describe", ""), "KinesisDataStreamDestinations/1/DestinationStatus"),
              "\"ACTIVE\"");
    close_all();
}
