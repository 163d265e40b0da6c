/* The published prices of us-east-1 (Lambda, DynamoDB on demand, CloudWatch Logs) as they were in
 * 2025 (unverified since); free tiers, data transfer and storage are left out, provisioned capacity
 * is counted by use, and a write's units on indexes count where they are known
 * (ReturnConsumedCapacity, --throttle).
 */
#include "usage.h"
#include "clock.h"

enum price { LAMBDA_REQUEST, LAMBDA_X86, LAMBDA_ARM, DDB_READ, DDB_WRITE, LOGS_BYTE, PRICES };
static const struct {
    const char *unit;
    double dollars; /* for one */
} prices[PRICES] = {
    [LAMBDA_REQUEST] = {"lambda_request", 0.0000002},
    [LAMBDA_X86] = {"lambda_gb_second_x86_64", 0.0000166667},
    [LAMBDA_ARM] = {"lambda_gb_second_arm64", 0.0000133334},
    [DDB_READ] = {"dynamodb_read_unit", 0.000000125},
    [DDB_WRITE] = {"dynamodb_write_unit", 0.000000625},
    [LOGS_BYTE] = {"logs_gb_ingested", 0.50},
};

static double cost(enum price p, double amount)
{
    return prices[p].dollars * amount;
}

static double gb_seconds(uint64_t mb_ms)
{
    return (double)mb_ms / 1024 / 1000;
}

void usage_write(struct server *s, struct json_out *w)
{
    struct rie_usage u = rie_usage(s->rie);
    double reads, writes, gb = (double)cwl_ingested(s->logs) / (1 << 30);
    double x86 = gb_seconds(u.x86_mb_ms), arm = gb_seconds(u.arm_mb_ms);
    char since[25];
    ddb_usage(&reads, &writes);
    double lambda =
        cost(LAMBDA_REQUEST, (double)u.requests) + cost(LAMBDA_X86, x86) + cost(LAMBDA_ARM, arm);
    double dynamodb = cost(DDB_READ, reads) + cost(DDB_WRITE, writes);
    int64_t up_ms = (clock_mono_us() - s->start_us) / 1000;
    clock_format_iso(clock_now_ms() - up_ms, since);
    json_obj(w, NULL);
    json_cstr(w, "since", since);
    json_obj(w, "lambda");
    json_i64(w, "requests", (int64_t)u.requests);
    json_double(w, "gb_seconds", x86 + arm);
    json_double(w, "dollars", lambda);
    json_end(w);
    json_obj(w, "dynamodb");
    json_double(w, "read_units", reads);
    json_double(w, "write_units", writes);
    json_double(w, "dollars", dynamodb);
    json_end(w);
    json_obj(w, "logs");
    json_i64(w, "bytes", cwl_ingested(s->logs));
    json_double(w, "dollars", cost(LOGS_BYTE, gb));
    json_end(w);
    json_double(w, "dollars", lambda + dynamodb + cost(LOGS_BYTE, gb));
    json_obj(w, "prices");
    json_cstr(w, "region", "us-east-1");
    for (size_t i = 0; i < PRICES; i++)
        json_double(w, prices[i].unit, prices[i].dollars);
    json_end(w);
    json_end(w);
}
