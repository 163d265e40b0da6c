/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_fixture.h"

#define VE  "ValidationException: "
#define ARN "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
static const int64_t DAY_MS = 86400000;

static bool open_table(const char *dir, const char *members)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    return fx_open(dir) &&
           str_starts(fx_call("CreateTable", FX("{\"TableName\":\"abc\",%s}", members)), STR("{"));
}

static void close_all(void)
{
    db_commit(fx_db);
    fx_close();
    clock_fake_off();
}

static struct str unquoted(struct str s)
{
    return s.n >= 2 && s.p[0] == '"' ? str_sub(s, 1, s.n - 1) : s;
}

static void put(const char *table, int key, const char *value)
{
    fx_call("PutItem",
            FX("{\"TableName\":\"%s\",\"Item\":{\"pk\":{\"S\":\"%d\"},\"v\":{\"S\":\"%s\"}}}",
               table, key, value));
}

static void del(const char *table, int key)
{
    fx_call("DeleteItem", FX("{\"TableName\":\"%s\",\"Key\":{\"pk\":{\"S\":\"%d\"}}}", table, key));
}

/* The value of one item; "" when it is not there. */
static struct str value_of(const char *table, int key)
{
    struct str v =
        fx_get(fx_call("GetItem",
                       FX("{\"TableName\":\"%s\",\"Key\":{\"pk\":{\"S\":\"%d\"}}}", table, key)),
               "Item/v/S");
    return v.p[0] == '"' ? unquoted(v) : STR("");
}

static struct str described(const char *table, const char *path)
{
    return fx_get(fx_call("DescribeTable", FX("{\"TableName\":\"%s\"}", table)),
                  FX("Table/%s", path));
}

static struct str backup(const char *name)
{
    return unquoted(
        fx_get(fx_call("CreateBackup", FX("{\"TableName\":\"abc\",\"BackupName\":\"%s\"}", name)),
               "BackupDetails/BackupArn"));
}

static struct str describe(struct str arn)
{
    return fx_call("DescribeBackup", FX("{\"BackupArn\":\"%.*s\"}", STR_ARG(arn)));
}

static struct str restore(struct str arn, const char *target, const char *more)
{
    return fx_call(
        "RestoreTableFromBackup",
        FX("{\"TargetTableName\":\"%s\",\"BackupArn\":\"%.*s\"%s}", target, STR_ARG(arn), more));
}

static int maintain_all(void)
{
    int n = 0;
    while (ddb_due_ms(fx) <= clock_now_ms() && n < 10000) {
        ddb_maintain(fx);
        n++;
    }
    return n;
}

#define PK                                                                                         \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"                \
    "{\"AttributeName\":\"v\",\"AttributeType\":\"S\"}],"                                          \
    "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}]"
#define GSI_KEYS                                                                                   \
    "\"KeySchema\":[{\"AttributeName\":\"v\",\"KeyType\":\"HASH\"}],\"Projection\":{"              \
    "\"ProjectionType\":\"ALL\"}"
#define UNITS(n)                                                                                   \
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":" #n ",\"WriteCapacityUnits\":" #n "}"
#define WITH_GSI                                                                                   \
    PK ",\"BillingMode\":\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":[{\"IndexName\":"          \
       "\"gsi\"," GSI_KEYS "}]"

TEST(backup_is_created_described_and_deleted)
{
    CHECK(open_table(NULL, FX_HASH ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}],"
                                   "\"StreamSpecification\":{\"StreamEnabled\":true,"
                                   "\"StreamViewType\":\"KEYS_ONLY\"}"));
    fx_call("UpdateTimeToLive",
            "{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
            "\"AttributeName\":\"ttl\"}}");
    put("abc", 1, "one");
    struct str r = fx_call("CreateBackup", "{\"TableName\":\"abc\",\"BackupName\":\"first\"}");
    CHECK_STR(fx_get(r, "BackupDetails/BackupStatus"), "\"CREATING\"");
    CHECK_STR(fx_get(r, "BackupDetails/BackupType"), "\"USER\"");
    CHECK_STR(fx_get(r, "BackupDetails/BackupCreationDateTime"), "1700000000.123");
    CHECK_STR(fx_get(r, "BackupDetails/BackupExpiryDateTime"), "(missing)");
    struct str arn = unquoted(fx_get(r, "BackupDetails/BackupArn"));
    CHECK(str_starts(arn, STR(ARN "/backup/01700000000123-")) && arn.n == sizeof ARN - 1 + 31);
    struct str d = fx_get(describe(arn), "BackupDescription");
    CHECK_STR(fx_get(d, "BackupDetails/BackupStatus"), "\"AVAILABLE\"");
    CHECK_STR(fx_get(d, "BackupDetails/BackupName"), "\"first\"");
    CHECK_STR(fx_get(d, "SourceTableDetails/ItemCount"), "1");
    CHECK_STR(fx_get(d, "SourceTableDetails/TableArn"), "\"" ARN "\"");
    CHECK_STR(fx_get(d, "SourceTableDetails/BillingMode"), "\"PAY_PER_REQUEST\"");
    CHECK_STR(fx_get(d, "SourceTableDetails/ProvisionedThroughput"),
              "{\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0}");
    CHECK_STR(
        fx_get(d, "SourceTableFeatureDetails"),
        "{\"StreamDescription\":{\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"},"
        "\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\",\"AttributeName\":\"ttl\"}}");
    CHECK_STR(fx_get(fx_call("DeleteBackup", FX("{\"BackupArn\":\"%.*s\"}", STR_ARG(arn))),
                     "BackupDescription/BackupDetails/BackupStatus"),
              "\"DELETED\"");
    CHECK_STR(describe(arn), FX("BackupNotFoundException: Backup not found: %.*s", STR_ARG(arn)));
    CHECK(str_starts(restore(arn, "copy", ""), STR("BackupNotFoundException: ")));
    close_all();
}

TEST(unknown_tables_and_arns_are_refused)
{
    CHECK(open_table(NULL, FX_HASH));
    CHECK_STR(fx_call("CreateBackup", "{\"TableName\":\"none\",\"BackupName\":\"abc\"}"),
              "TableNotFoundException: Table not found: none");
    CHECK(str_starts(fx_call("CreateBackup", "{\"TableName\":\"abc\",\"BackupName\":\"ab\"}"),
                     STR(VE)));
    CHECK_STR(describe(STR(ARN)), VE "Invalid Backup ARN");
    CHECK_STR(describe(STR("arn:aws:s3:us-east-1:000000000000:table/abc/backup/01700000000123-x")),
              VE "Invalid Request: BackupArn is not valid");
    CHECK(str_starts(describe(STR(ARN "/backup/01700000000123-00000000")),
                     STR("BackupNotFoundException: ")));
    CHECK_STR(fx_call("DescribeContinuousBackups", "{\"TableName\":\"none\"}"),
              "TableNotFoundException: Table not found: none");
    close_all();
}

TEST(restore_gives_the_table_as_it_was)
{
    CHECK(open_table(NULL, WITH_GSI ",\"DeletionProtectionEnabled\":true,\"Tags\":[{\"Key\":\"a\","
                                    "\"Value\":\"b\"}],\"OnDemandThroughput\":{"
                                    "\"MaxReadRequestUnits\":7}"));
    for (int i = 0; i < 20; i++)
        put("abc", i, "old");
    struct str arn = backup("first");
    put("abc", 3, "new");
    del("abc", 4);
    put("abc", 99, "new");
    struct str r = restore(arn, "copy", "");
    CHECK_STR(fx_get(r, "TableDescription/TableStatus"), "\"CREATING\"");
    CHECK_STR(fx_get(r, "TableDescription/RestoreSummary"),
              FX("{\"SourceBackupArn\":\"%.*s\",\"SourceTableArn\":\"" ARN "\","
                 "\"RestoreDateTime\":1700000000.123,\"RestoreInProgress\":true}",
                 STR_ARG(arn)));
    CHECK_STR(described("copy", "TableStatus"), "\"ACTIVE\"");
    CHECK_STR(described("copy", "RestoreSummary"), "(missing)");
    CHECK_STR(described("copy", "ItemCount"), "20");
    CHECK_STR(described("copy", "GlobalSecondaryIndexes/0/ItemCount"), "20");
    CHECK_STR(described("copy", "DeletionProtectionEnabled"), "false");
    CHECK_STR(described("copy", "OnDemandThroughput"), "{\"MaxReadRequestUnits\":7}");
    CHECK_STR(fx_get(fx_call("ListTagsOfResource", "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:"
                                                   "000000000000:table/copy\"}"),
                     "Tags"),
              "[]");
    for (int i = 0; i < 20; i++)
        CHECK_STR(value_of("copy", i), "old");
    CHECK_STR(value_of("copy", 99), "");
    CHECK_STR(value_of("abc", 3), "new");
    put("copy", 3, "mine"); /* it is a table of its own */
    del("copy", 5);
    CHECK_STR(described("copy", "GlobalSecondaryIndexes/0/ItemCount"), "19");
    CHECK_STR(value_of("abc", 5), "old");
    CHECK_STR(restore(arn, "abc", ""), "TableAlreadyExistsException: Table already exists: abc");
    fx_call("UpdateTable", "{\"TableName\":\"abc\",\"DeletionProtectionEnabled\":false}");
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK(str_starts(restore(arn, "abc", ""), STR("{"))); /* the backup outlives its table */
    CHECK_STR(value_of("abc", 4), "old");
    close_all();
}

static const struct {
    const char *more, *want;
} bad_overrides[] = {
    {"," UNITS(5), 0},
    {",\"ProvisionedThroughputOverride\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":5}",
     "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED"},
    {",\"BillingModeOverride\":\"PAY_PER_REQUEST\",\"ProvisionedThroughputOverride\":{"
     "\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":5}",
     "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST"},
    {",\"BillingModeOverride\":\"PROVISIONED\"",
     "Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"},
    {",\"BillingModeOverride\":\"PROVISIONED\",\"ProvisionedThroughputOverride\":{"
     "\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":5}",
     "Must specify provisioned throughput for index gsi"},
    {",\"BillingModeOverride\":\"PROVISIONED\",\"ProvisionedThroughputOverride\":{"
     "\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":5},\"OnDemandThroughputOverride\":{"
     "\"MaxReadRequestUnits\":5}",
     "Cannot override MaxReadRequestUnits for OnDemandThroughput unless BillingModeOverride is "
     "PAY_PER_REQUEST"},
    {",\"OnDemandThroughputOverride\":{\"MaxReadRequestUnits\":0}",
     "Requested MaxReadRequestUnits for OnDemandThroughput is outside of valid range"},
    {",\"GlobalSecondaryIndexOverride\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":"
     "\"pk\",\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}]",
     "Index gsi does not match a secondary index that existed in the source table and cannot be "
     "created during the restore operation"},
    {",\"GlobalSecondaryIndexOverride\":[{\"IndexName\":\"gsi\"," GSI_KEYS "," UNITS(5) "}]",
     "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST for "
     "index gsi"},
};

TEST(overrides_are_checked_and_taken)
{
    CHECK(open_table(NULL, WITH_GSI));
    put("abc", 1, "x");
    struct str arn = backup("first");
    for (size_t i = 1; i < sizeof bad_overrides / sizeof *bad_overrides; i++) {
        CHECK_STR(restore(arn, "copy", bad_overrides[i].more),
                  FX(VE "Invalid Request: %s", bad_overrides[i].want));
        CHECK_I64(ddb_table_count(fx), 1);
    }
    CHECK(str_starts(restore(arn, "provisioned",
                             ",\"BillingModeOverride\":\"PROVISIONED\","
                             "\"ProvisionedThroughputOverride\":{\"ReadCapacityUnits\":5,"
                             "\"WriteCapacityUnits\":6},\"GlobalSecondaryIndexOverride\":[{"
                             "\"IndexName\":\"renamed\"," GSI_KEYS "," UNITS(2) "}]"),
                     STR("{")));
    CHECK_STR(described("provisioned", "ProvisionedThroughput/WriteCapacityUnits"), "6");
    CHECK_STR(described("provisioned", "GlobalSecondaryIndexes/0/IndexName"), "\"renamed\"");
    CHECK_STR(described("provisioned", "GlobalSecondaryIndexes/0/ItemCount"), "1");
    CHECK_STR(described("provisioned", "BillingModeSummary"), "(missing)");
    CHECK(str_starts(restore(arn, "bare",
                             ",\"GlobalSecondaryIndexOverride\":[],"
                             "\"SSESpecificationOverride\":{\"Enabled\":true}"),
                     STR("{")));
    CHECK_STR(described("bare", "GlobalSecondaryIndexes"), "(missing)");
    CHECK_STR(described("bare", "AttributeDefinitions"),
              "[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}]");
    CHECK_STR(described("bare", "SSEDescription/Status"), "\"ENABLED\"");
    close_all();
}

TEST(backups_are_listed_by_age_with_filters_and_pages)
{
    CHECK(open_table(NULL, FX_HASH));
    struct str arns[4];
    for (int i = 0; i < 3; i++) {
        arns[i] = backup("same-name");
        clock_fake_advance_ms(1000);
    }
    fx_call("CreateTable", "{\"TableName\":\"other\"," FX_HASH "}");
    fx_call("CreateBackup", "{\"TableName\":\"other\",\"BackupName\":\"xyz\"}");
    struct str l = fx_call("ListBackups", "{\"TableName\":\"abc\",\"Limit\":2}");
    CHECK_STR(fx_get(l, "BackupSummaries/0/BackupArn"), FX("\"%.*s\"", STR_ARG(arns[0])));
    CHECK_STR(fx_get(l, "BackupSummaries/1/TableName"), "\"abc\"");
    CHECK_STR(fx_get(l, "LastEvaluatedBackupArn"), FX("\"%.*s\"", STR_ARG(arns[1])));
    l = fx_call("ListBackups", FX("{\"TableName\":\"abc\",\"ExclusiveStartBackupArn\":\"%.*s\"}",
                                  STR_ARG(arns[1])));
    CHECK_STR(fx_get(l, "BackupSummaries/0/BackupArn"), FX("\"%.*s\"", STR_ARG(arns[2])));
    CHECK_STR(fx_get(l, "BackupSummaries/1"), "(missing)");
    CHECK_STR(fx_get(l, "LastEvaluatedBackupArn"), "(missing)");
    CHECK_STR(fx_get(fx_call("ListBackups", "{\"TableName\":\"abc\",\"Limit\":3}"),
                     "LastEvaluatedBackupArn"),
              "(missing)");
    CHECK_STR(fx_get(fx_call("ListBackups", "{}"), "BackupSummaries/3/TableName"), "\"other\"");
    l = fx_call("ListBackups", "{\"TimeRangeLowerBound\":1700000001.123,"
                               "\"TimeRangeUpperBound\":1700000002.123}");
    CHECK_STR(fx_get(l, "BackupSummaries/0/BackupArn"), FX("\"%.*s\"", STR_ARG(arns[1])));
    CHECK_STR(fx_get(l, "BackupSummaries/1"), "(missing)");
    CHECK_STR(fx_call("ListBackups", "{\"TimeRangeLowerBound\":5,\"TimeRangeUpperBound\":4}"),
              VE "One or more parameter values were invalid: Time range lower bound must be less "
                 "than or equal to upper bound");
    CHECK_STR(fx_call("ListBackups", "{\"ExclusiveStartBackupArn\":\"arn:aws:dynamodb:eu-west-1:"
                                     "000000000000:table/abc/backup/01700000000123-00000000\"}"),
              VE "Invalid Request: The supplied ExclusiveStartBackupArn does not match the region");
    CHECK(str_starts(fx_call("ListBackups", "{\"Limit\":101}"), STR(VE)));
    CHECK_STR(fx_call("ListBackups", "{\"BackupType\":\"AWS_BACKUP\"}"),
              "{\"BackupSummaries\":[]}");
    CHECK_STR(fx_call("ListBackups", "{\"TableName\":\"none\"}"), "{\"BackupSummaries\":[]}");
    close_all();
}

static struct str pitr(bool on, const char *more)
{
    return fx_get(fx_call("UpdateContinuousBackups",
                          FX("{\"TableName\":\"abc\",\"PointInTimeRecoverySpecification\":{"
                             "\"PointInTimeRecoveryEnabled\":%s%s}}",
                             on ? "true" : "false", more)),
                  "ContinuousBackupsDescription");
}

enum { BIG = 6000 };

static void fill_big(void)
{
    for (int i = 0; i < BIG; i++)
        put("abc", i, fx_repeat('o', 1000));
}

TEST(big_table_is_copied_in_slices_while_it_changes)
{
    const char *dir = fx_new_folder();
    CHECK(open_table(dir, WITH_GSI));
    fill_big();
    maintain_all();
    struct str arn = backup("big");
    CHECK_STR(fx_get(describe(arn), "BackupDescription/BackupDetails/BackupStatus"),
              "\"CREATING\"");
    CHECK(str_starts(restore(arn, "copy", ""), STR("BackupInUseException: ")));
    put("abc", 5, "changed before any slice");
    ddb_maintain(fx);
    put("abc", 10, "changed behind the copy");
    put("abc", BIG - 1, "changed before the copy");
    put("abc", BIG - 1, "and again");
    del("abc", BIG - 2);
    del("abc", 11);
    put("abc", BIG + 5, "added");
    char copy[256];
    snprintf(copy, sizeof copy, "%.*s", STR_ARG(arn));
    CHECK(db_commit(fx_db));
    fx_close(); /* a restart in the middle */
    CHECK(fx_open(dir));
    arn = str_c(copy);
    put("abc", 12, "changed after the restart");
    CHECK(maintain_all() > 1);
    put("abc", 13, "changed when it was done");
    CHECK_STR(fx_get(describe(arn), "BackupDescription/BackupDetails/BackupStatus"),
              "\"AVAILABLE\"");
    struct str r = restore(arn, "copy", "");
    CHECK(str_starts(r, STR("{")));
    CHECK_STR(described("copy", "TableStatus"), "\"CREATING\"");
    CHECK(str_starts(fx_call("PutItem", "{\"TableName\":\"copy\",\"Item\":{\"pk\":{\"S\":\"x\"}}}"),
                     STR("ResourceNotFoundException: ")));
    CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"copy\"}"), STR("ResourceInUse")));
    CHECK(str_starts(restore(arn, "copy2", ""), STR("BackupInUseException: ")));
    maintain_all();
    CHECK_STR(described("copy", "TableStatus"), "\"ACTIVE\"");
    CHECK_STR(described("copy", "ItemCount"), FX("%d", BIG));
    CHECK_STR(described("copy", "GlobalSecondaryIndexes/0/ItemCount"), FX("%d", BIG));
    for (int i = 0; i < BIG; i++)
        CHECK_I64(value_of("copy", i).n, 1000);
    CHECK_STR(value_of("copy", BIG + 5), "");
    CHECK_STR(value_of("abc", BIG - 1), "and again");
    CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"), STR("{")));
    close_all();
    file_remove_tree(dir);
}

/* ---- point-in-time recovery ---- */

static struct str restore_at(const char *target, const char *when)
{
    return fx_call("RestoreTableToPointInTime",
                   FX("{\"SourceTableName\":\"abc\",\"TargetTableName\":\"%s\",%s}", target, when));
}

TEST(recovery_is_switched_and_described)
{
    CHECK(open_table(NULL, FX_HASH));
    struct str d = fx_get(fx_call("DescribeContinuousBackups", "{\"TableName\":\"abc\"}"),
                          "ContinuousBackupsDescription");
    CHECK_STR(d, "{\"ContinuousBackupsStatus\":\"ENABLED\",\"PointInTimeRecoveryDescription\":{"
                 "\"PointInTimeRecoveryStatus\":\"DISABLED\"}}");
    CHECK_STR(restore_at("copy", "\"UseLatestRestorableTime\":true"),
              "PointInTimeRecoveryUnavailableException: Point in time recovery is not enabled for "
              "table 'abc'");
    CHECK_STR(fx_get(pitr(true, ""), "PointInTimeRecoveryDescription"),
              "{\"PointInTimeRecoveryStatus\":\"ENABLED\",\"RecoveryPeriodInDays\":35,"
              "\"EarliestRestorableDateTime\":1700000000,\"LatestRestorableDateTime\":1700000000}");
    clock_fake_advance_ms(10 * DAY_MS);
    CHECK_STR(fx_get(pitr(true, ",\"RecoveryPeriodInDays\":7"), "PointInTimeRecoveryDescription"),
              "{\"PointInTimeRecoveryStatus\":\"ENABLED\",\"RecoveryPeriodInDays\":7,"
              "\"EarliestRestorableDateTime\":1700259200,\"LatestRestorableDateTime\":1700864000}");
    CHECK(str_starts(pitr(true, ",\"RecoveryPeriodInDays\":36"), STR(VE)));
    CHECK(str_starts(pitr(true, ",\"RecoveryPeriodInDays\":0"), STR(VE)));
    CHECK_STR(pitr(false, ",\"RecoveryPeriodInDays\":7"),
              VE "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                 "point-in-time recovery.");
    CHECK_STR(fx_get(pitr(false, ""), "PointInTimeRecoveryDescription"),
              "{\"PointInTimeRecoveryStatus\":\"DISABLED\"}");
    CHECK_STR(fx_get(pitr(true, ""), "PointInTimeRecoveryDescription/RecoveryPeriodInDays"), "35");
    close_all();
}

TEST(restore_requests_are_checked_in_awss_order)
{
    CHECK(open_table(NULL, FX_HASH));
    CHECK_STR(restore_at("copy", "\"UseLatestRestorableTime\":true,\"RestoreDateTime\":1700000000"),
              VE
              "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for "
              "point-in-time restore request. Please set only one of them.");
    CHECK_STR(restore_at("copy", "\"UseLatestRestorableTime\":false"), VE
              "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be "
              "specified, but not both");
    CHECK_STR(restore_at("copy", "\"UseLatestRestorableTime\":true,\"SourceTableArn\":\"" ARN "\""),
              VE "Must provide exactly one of: sourceTableArn, sourceTableName");
    CHECK_STR(fx_call("RestoreTableToPointInTime", "{\"TargetTableName\":\"copy\","
                                                   "\"UseLatestRestorableTime\":true}"),
              VE "The parameter 'TableName' is required but was not present in the request");
    CHECK_STR(fx_call("RestoreTableToPointInTime",
                      "{\"TargetTableName\":\"copy\",\"SourceTableName\":"
                      "\"none\",\"UseLatestRestorableTime\":true}"),
              "TableNotFoundException: Table not found: none");
    pitr(true, "");
    clock_fake_advance_ms(5000);
    CHECK_STR(restore_at("abc", "\"RestoreDateTime\":1600000000"),
              "InvalidRestoreTimeException: RestoreDateTime '2020-09-13T12:26:40Z' must be within "
              "EarliestRestorableDateTime '2023-11-14T22:13:20Z' and LatestRestorableDateTime "
              "'2023-11-14T22:13:25Z'");
    CHECK(str_starts(restore_at("copy", "\"RestoreDateTime\":1700000006"),
                     STR("InvalidRestoreTimeException: ")));
    CHECK_STR(restore_at("abc", "\"UseLatestRestorableTime\":true"),
              "TableAlreadyExistsException: Table already exists: abc");
    CHECK(str_starts(fx_call("RestoreTableToPointInTime",
                             "{\"TargetTableName\":\"copy\",\"SourceTableArn\":\"" ARN
                             "\",\"UseLatestRestorableTime\":true}"),
                     STR("{")));
    CHECK_STR(described("copy", "TableStatus"), "\"ACTIVE\"");
    close_all();
}

/* Random writes over time; then every moment is compared with what the table was. */
TEST(every_moment_can_be_restored)
{
    enum { KEYS = 30, MOMENTS = 25 };
    static char seen[MOMENTS][KEYS];
    uint32_t seed = 99;
    CHECK(open_table(NULL, WITH_GSI));
    for (int i = 0; i < KEYS; i += 2)
        put("abc", i, "0");
    pitr(true, "");
    char now[KEYS];
    for (int i = 0; i < KEYS; i++)
        now[i] = i % 2 == 0 ? '0' : ' ';
    int64_t start = clock_now_ms();
    for (int m = 0; m < MOMENTS; m++) {
        clock_fake_advance_ms(1000);
        for (int n = 0; n < 12; n++) {
            seed = seed * 1664525 + 1013904223;
            int key = (int)(seed >> 24) % KEYS;
            char value[] = {(char)('a' + (seed >> 10) % 26), '\0'};
            if ((seed >> 20) % 3 == 0) {
                del("abc", key);
                now[key] = ' ';
            } else {
                put("abc", key, value);
                now[key] = value[0];
            }
        }
        memcpy(seen[m], now, KEYS);
    }
    for (int m = 0; m < MOMENTS; m += 3) {
        int64_t at = start + (m + 1) * 1000 + 999; /* just before the next changes */
        char when[64], name[16];
        if (at > clock_now_ms())
            at = clock_now_ms();
        snprintf(when, sizeof when, "\"RestoreDateTime\":%lld.%03lld", (long long)(at / 1000),
                 (long long)(at % 1000));
        snprintf(name, sizeof name, "copy%d", m);
        CHECK(str_starts(restore_at(name, when), STR("{")));
        CHECK_STR(described(name, "TableStatus"), "\"ACTIVE\"");
        int count = 0;
        for (int i = 0; i < KEYS; i++) {
            char want[] = {seen[m][i] == ' ' ? '\0' : seen[m][i], '\0'};
            CHECK_STR(value_of(name, i), want);
            count += want[0] != '\0';
        }
        CHECK_STR(described(name, "ItemCount"), FX("%d", count));
        CHECK_STR(described(name, "GlobalSecondaryIndexes/0/ItemCount"), FX("%d", count));
    }
    close_all();
}

/* The rows of one SQL query's only column, 0 if it cannot be run. */
static int64_t number_from(const char *sql)
{
    sqlite3_stmt *q = NULL;
    int64_t n = 0;
    if (sqlite3_prepare_v2(db_handle(fx_db), sql, -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}
#define DATA_TABLES                                                                                \
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND (name LIKE 'ddb_data_%' OR name " \
    "LIKE 'ddb_history_%')"

TEST(table_may_be_deleted_while_a_backup_copies_it)
{
    for (int recovery = 0; recovery < 2; recovery++) {
        const char *dir = fx_new_folder();
        CHECK(open_table(dir, WITH_GSI));
        fill_big();
        if (recovery)
            pitr(true, "");
        maintain_all();
        struct str arn = backup("big");
        char copy[256];
        snprintf(copy, sizeof copy, "%.*s", STR_ARG(arn));
        put("abc", 5, "changed before any slice");
        ddb_maintain(fx);
        put("abc", BIG - 1, "changed before the copy");
        CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"), STR("{")));
        CHECK(str_starts(fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH "}"), STR("{")));
        put("abc", 7, "of another table");
        CHECK(db_commit(fx_db));
        fx_close(); /* a restart in the middle */
        CHECK(fx_open(dir));
        maintain_all();
        CHECK_STR(fx_get(describe(str_c(copy)), "BackupDescription/BackupDetails/BackupStatus"),
                  "\"AVAILABLE\"");
        /* the new table's rows, the backup's, and perhaps those the system backup has */
        CHECK_I64(number_from(DATA_TABLES), 2 + recovery);
        CHECK(str_starts(restore(str_c(copy), "copy", ""), STR("{")));
        maintain_all();
        CHECK_STR(described("copy", "ItemCount"), FX("%d", BIG));
        for (int i = 0; i < BIG; i++)
            CHECK_I64(value_of("copy", i).n, 1000);
        CHECK_STR(value_of("abc", 7), "of another table");
        close_all();
        file_remove_tree(dir);
    }
}

TEST(reset_also_takes_what_a_deleted_table_left_for_its_backup)
{
    CHECK(open_table(NULL, FX_HASH));
    fill_big();
    backup("big");
    ddb_maintain(fx);
    CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"), STR("{")));
    CHECK(ddb_reset(fx));
    maintain_all();
    CHECK_I64(number_from(DATA_TABLES), 0);
    close_all();
}

TEST(expired_backup_stays_until_the_restore_that_reads_it_is_done)
{
    CHECK(open_table(NULL, FX_HASH));
    fill_big();
    pitr(true, "");
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    struct str l = fx_call("ListBackups", "{\"BackupType\":\"SYSTEM\"}");
    struct str arn = unquoted(fx_get(l, "BackupSummaries/0/BackupArn"));
    maintain_all();
    CHECK(str_starts(restore(arn, "copy", ""), STR("{")));
    ddb_maintain(fx);
    clock_fake_advance_ms(35 * DAY_MS);
    maintain_all();
    CHECK_STR(described("copy", "ItemCount"), FX("%d", BIG));
    CHECK_STR(described("copy", "TableStatus"), "\"ACTIVE\"");
    maintain_all();
    CHECK(str_starts(describe(arn), STR("BackupNotFoundException: ")));
    CHECK_I64(number_from(DATA_TABLES), 1);
    close_all();
}

TEST(big_table_is_restored_to_a_point_in_time_in_slices)
{
    CHECK(open_table(NULL, FX_HASH));
    fill_big();
    pitr(true, "");
    clock_fake_advance_ms(5000);
    for (int i = 0; i < BIG; i += 2)
        put("abc", i, "later");
    CHECK(str_starts(restore_at("copy", "\"RestoreDateTime\":1700000001"), STR("{")));
    CHECK_STR(described("copy", "TableStatus"), "\"CREATING\"");
    put("abc", 1, "while it is copied");
    maintain_all();
    CHECK_STR(described("copy", "ItemCount"), FX("%d", BIG));
    for (int i = 0; i < BIG; i += 7)
        CHECK_I64(value_of("copy", i).n, 1000);
    close_all();
}

TEST(history_before_the_recovery_period_is_forgotten)
{
    CHECK(open_table(NULL, FX_HASH));
    pitr(true, ",\"RecoveryPeriodInDays\":2");
    put("abc", 1, "first");
    clock_fake_advance_ms(DAY_MS);
    put("abc", 1, "second");
    maintain_all();
    CHECK(ddb_due_ms(fx) == INT64_C(1700000000123) + 2 * DAY_MS);
    clock_fake_advance_ms(DAY_MS);
    maintain_all();
    CHECK(ddb_due_ms(fx) == INT64_C(1700000000123) + 3 * DAY_MS);
    put("abc", 1, "third");
    CHECK(str_starts(
        restore_at("copy", FX("\"RestoreDateTime\":%lld", 1700000000LL + 86400 + 3600)), STR("{")));
    CHECK_STR(value_of("copy", 1), "second");
    clock_fake_advance_ms(1000);
    CHECK(str_starts(restore_at("copy2", "\"RestoreDateTime\":1700000000"),
                     STR("InvalidRestoreTimeException: ")));
    close_all();
}

TEST(big_history_goes_in_slices_and_recovery_can_be_enabled_again_meanwhile)
{
    CHECK(open_table(NULL, FX_HASH));
    pitr(true, "");
    const char *text = fx_repeat('h', 1000);
    for (int i = 0; i < 20000; i++)
        put("abc", i % 10, FX("%d%s", i, text));
    maintain_all();
    pitr(false, "");
    CHECK_I64(number_from(DATA_TABLES), 2);
    pitr(true, "");
    put("abc", 1, "new");
    CHECK(maintain_all() >= 4); /* 4000 rows or 4 MiB each */
    CHECK_I64(number_from(DATA_TABLES), 2);
    CHECK_I64(number_from("SELECT count(*) FROM ddb_history_1"), 1);
    pitr(false, "");
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    maintain_all();
    CHECK_I64(number_from(DATA_TABLES), 0);
    close_all();
}

TEST(deleted_table_with_recovery_leaves_a_system_backup_for_35_days)
{
    CHECK(open_table(NULL, WITH_GSI));
    put("abc", 1, "kept");
    pitr(true, "");
    clock_fake_advance_ms(1000);
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK_STR(fx_call("ListBackups", "{}"), "{\"BackupSummaries\":[]}");
    struct str l = fx_call("ListBackups", "{\"BackupType\":\"SYSTEM\"}");
    CHECK_STR(fx_get(l, "BackupSummaries/0/BackupName"), "\"abc$DeletedTableBackup\"");
    CHECK_STR(fx_get(l, "BackupSummaries/0/BackupType"), "\"SYSTEM\"");
    CHECK_STR(fx_get(l, "BackupSummaries/0/BackupExpiryDateTime"), "1703024001.123");
    struct str arn = unquoted(fx_get(l, "BackupSummaries/0/BackupArn"));
    CHECK(str_ends(arn, STR("-00000000")));
    CHECK_STR(fx_get(describe(arn), "BackupDescription/SourceTableFeatureDetails"), "{}");
    CHECK(str_starts(fx_call("DeleteBackup", FX("{\"BackupArn\":\"%.*s\"}", STR_ARG(arn))),
                     STR(VE "Invalid Request: User is not allowed to delete the system backup")));
    CHECK(str_starts(restore(arn, "abc", ""), STR("{")));
    CHECK_STR(value_of("abc", 1), "kept");
    CHECK_STR(described("abc", "GlobalSecondaryIndexes/0/ItemCount"), "1");
    maintain_all();
    clock_fake_advance_ms(35 * DAY_MS);
    maintain_all();
    CHECK(str_starts(describe(arn), STR("BackupNotFoundException: ")));
    CHECK_STR(value_of("abc", 1), "kept");
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}"); /* without recovery: nothing is left */
    CHECK_STR(fx_call("ListBackups", "{\"BackupType\":\"ALL\"}"), "{\"BackupSummaries\":[]}");
    close_all();
}

TEST(reset_takes_backups_away)
{
    CHECK(open_table(NULL, FX_HASH));
    fill_big();
    backup("big"); /* the copy is under way */
    pitr(true, "");
    CHECK(ddb_reset(fx));
    CHECK_STR(fx_call("ListBackups", "{\"BackupType\":\"ALL\"}"), "{\"BackupSummaries\":[]}");
    CHECK(maintain_all() < 100);
    close_all();
}
