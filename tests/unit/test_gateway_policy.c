/* links: puddle_gateway */
#include "gw_condition.h"
#include "harness.h"

static enum policy_result decide(const char *statements, const char *ip, const char *agent)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct policy_env env = {str_c(ip), str_c(agent), STR_NONE};
    struct jval doc;
    struct str text = arena_fmt(a, "{\"Statement\":%s}", statements);
    if (!json_parse(a, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        doc = (struct jval){0};
    enum policy_result got =
        policy_allows(doc, STR("execute-api:Invoke"),
                      STR("arn:aws:execute-api:us-east-1:1:api/dev/GET/x"), &env, a);
    arena_free(a);
    return got;
}

#define ALLOW                                                                                      \
    "{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\","                 \
    "\"Resource\":\"*\""
#define DENY                                                                                       \
    "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\","                  \
    "\"Resource\":\"*\""
#define WHEN(op, key, value) ",\"Condition\":{\"" op "\":{\"" key "\":" value "}}}"

TEST(conditions_on_the_request_decide)
{
    static const struct {
        const char *statements;
        enum policy_result want;
    } cases[] = {
        {ALLOW "}", POLICY_ALLOWED},
        {"[" ALLOW "}," DENY "}]", POLICY_DENIED},
        {ALLOW WHEN("IpAddress", "aws:SourceIp", "\"10.1.0.0/16\""), POLICY_ALLOWED},
        {ALLOW WHEN("IpAddress", "AWS:sourceip", "[\"1.2.3.4\",\"10.1.2.3\"]"), POLICY_ALLOWED},
        {ALLOW WHEN("IpAddress", "aws:SourceIp", "\"10.2.0.0/16\""), POLICY_NO_MATCH},
        {ALLOW WHEN("IpAddress", "aws:SourceIp", "[]"), POLICY_NO_MATCH},
        {ALLOW WHEN("NotIpAddress", "aws:SourceIp", "\"10.1.0.0/16\""), POLICY_NO_MATCH},
        {"[" ALLOW "}," DENY WHEN("NotIpAddress", "aws:SourceIp", "\"9.0.0.0/8\"") "]",
         POLICY_DENIED},
        {"[" ALLOW "}," DENY WHEN("NotIpAddress", "aws:SourceIp", "\"10.0.0.0/8\"") "]",
         POLICY_ALLOWED},
        {"[" ALLOW "}," DENY WHEN("Bool", "aws:SecureTransport", "\"false\"") "]", POLICY_ALLOWED},
        {"[" ALLOW "}," DENY WHEN("Bool", "aws:SecureTransport", "true") "]", POLICY_DENIED},
        {ALLOW WHEN("StringLike", "aws:UserAgent", "\"cu*\""), POLICY_ALLOWED},
        {ALLOW WHEN("StringNotLike", "aws:UserAgent", "\"cu*\""), POLICY_NO_MATCH},
        {ALLOW WHEN("StringEquals", "aws:SourceVpce", "\"v\""), POLICY_NO_MATCH},
        {ALLOW WHEN("StringEqualsIfExists", "aws:SourceVpce", "\"v\""), POLICY_ALLOWED},
        {"[" ALLOW "}," DENY WHEN("StringNotEquals", "aws:SourceVpc", "\"v\"") "]", POLICY_DENIED},
        {ALLOW WHEN("StringEquals", "aws:Nope", "\"v\""), POLICY_NO_MATCH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_I64(decide(cases[i].statements, "10.1.2.3", "curl/8"), cases[i].want);
}

TEST(addresses_are_matched_by_their_prefix)
{
    static const struct {
        const char *cidr, *ip;
        bool want;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.168.1.128/25", "192.168.1.129", true},
        {"192.168.1.128/25", "192.168.1.127", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"1.2.3.4/32", "1.2.3.4", true},
        {"1.2.3.4/33", "1.2.3.4", false},
        {"1.2.3.4/-1", "1.2.3.4", false},
        {"1.2.3.4/x", "1.2.3.4", false},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.5", false},
        {"2001:db8::/32", "2001:db8:1::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"::1/128", "::1", true},
        {"10.0.0.0/8", "::1", false},
        {"", "1.2.3.4", false},
        {"1.2.3.4", "test-invoke-source-ip", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_I64(condition_cidr_has(str_c(cases[i].cidr), str_c(cases[i].ip)), cases[i].want);
}

static const char *support(const char *text, struct arena *a)
{
    struct jval doc;
    struct str what;
    if (!json_parse(a, str_c(text), JSON_DEPTH_DEFAULT, &doc, NULL))
        return "no JSON";
    if (policy_is_decidable(doc, a, &what))
        return "ok";
    return what.p == NULL ? "no policy" : arena_fmt(a, "%.*s%c", STR_ARG(what), 0).p;
}

TEST(what_cannot_be_decided_is_named)
{
    struct arena *a = arena_new(0, SIZE_MAX);
#define DOC(s)                 "{\"Statement\":" s "}"
#define CHECK_SUPPORT(s, want) CHECK_STR(str_c(support(s, a)), want)
    CHECK_SUPPORT(DOC(ALLOW "}"), "ok");
    CHECK_SUPPORT(DOC("[" ALLOW WHEN("IpAddress", "aws:SourceIp", "\"1.1.1.1\"") "]"), "ok");
    CHECK_SUPPORT("{}", "no policy");
    CHECK_SUPPORT("[1]", "no policy");
    CHECK_SUPPORT(DOC("[]"), "no policy");
    CHECK_SUPPORT(DOC("[1]"), "no policy");
    CHECK_SUPPORT(DOC("{\"Effect\":\"Allow\"}"), "no policy");
    CHECK_SUPPORT(DOC(ALLOW WHEN("DateLessThan", "aws:CurrentTime", "\"x\"")), "DateLessThan");
    CHECK_SUPPORT(DOC(ALLOW WHEN("StringEquals", "aws:PrincipalArn", "\"x\"")), "aws:PrincipalArn");
    CHECK_SUPPORT(DOC("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::1:root\"},"
                      "\"Action\":\"*\",\"Resource\":\"*\"}"),
                  "principals other than *");
    CHECK_SUPPORT(DOC("{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"*\"]},\"Action\":\"*\","
                      "\"Resource\":\"*\"}"),
                  "ok");
    arena_free(a);
}
