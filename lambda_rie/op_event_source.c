/* Event source mappings: the records, with AWS's checks and states. What polls the sources reads
 * them. A stored document is what GetEventSourceMapping answers, plus Tags. */
#include "arn.h"
#include "docs.h"
#include "function.h"
#include "ids.h"

enum { PAGE_MAX = 100 };
enum source { SOURCE_STREAM, SOURCE_QUEUE, SOURCE_KAFKA, SOURCE_OTHER };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

static bool bad(struct call *c, const char *message, struct str arn)
{
    return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException, message,
                    STR_ARG(arn));
}

static bool no_resource(struct call *c)
{
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "The resource you requested does not exist.");
}

/* ---- checks ---- */

static enum source source_of(struct str arn)
{
    struct arn parts;
    if (arn.n == 0)
        return SOURCE_KAFKA;
    if (!arn_parse(arn, &parts))
        return SOURCE_OTHER;
    if (str_eq_c(parts.service, "dynamodb") || str_eq_c(parts.service, "kinesis"))
        return SOURCE_STREAM;
    return str_eq_c(parts.service, "sqs")     ? SOURCE_QUEUE
           : str_eq_c(parts.service, "kafka") ? SOURCE_KAFKA
                                              : SOURCE_OTHER;
}

/* Does the source exist? Of AWS's sources only tables are here. */
static bool check_exists(struct call *c, struct str arn)
{
    struct rie *r = rie_of(c);
    struct arn parts;
    if (arn.n == 0 || !arn_parse(arn, &parts))
        return true;
    if (str_eq_c(parts.service, "dynamodb"))
        return r->stream_exists == NULL || r->stream_exists(r->stream_arg, arn) ||
               bad(c, "Stream not found: %.*s", arn);
    if (str_eq_c(parts.service, "kinesis"))
        return bad(c, "Stream not found: %.*s", arn);
    if (str_eq_c(parts.service, "sqs"))
        return bad(c,
                   "Error occurred while ReceiveMessage. SQS Error Code: "
                   "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified "
                   "queue does not exist.",
                   arn); /* unverified */
    return bad(c, "Puddle does not have the service of this event source: %.*s", arn);
}

static bool check_position(struct call *c, struct str arn, enum source source)
{
    struct str position = text_of(c, "StartingPosition");
    if (position.n == 0 && (source == SOURCE_STREAM || source == SOURCE_KAFKA))
        return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                        "1 validation error detected: Value null at 'startingPosition' failed to "
                        "satisfy constraint: Member must not be null.");
    if (str_eq_c(position, "AT_TIMESTAMP") && str_find_str(arn, STR(":dynamodb:")) > 0)
        return bad(c, "Unsupported starting position for arn type: %.*s", arn);
    return true;
}

/* A rule is an object whose leaves are lists. */
static bool is_rule(struct jval v)
{
    struct jval it = {0};
    if (jval_kind(v) != JSON_OBJECT)
        return false;
    while (jval_next(v, &it, NULL)) {
        if (jval_kind(it) == JSON_ARRAY ? jval_count(it) == 0 : !is_rule(it))
            return false;
    }
    return true;
}

static bool check_filters(struct call *c)
{
    struct jval filters = jval_get(jval_get(c->in, "FilterCriteria"), "Filters"), it = {0};
    while (jval_next(filters, &it, NULL)) {
        struct jval rule;
        struct str text = jval_text(jval_get(it, "Pattern"), c->arena);
        if (text.n > 0 &&
            (!json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &rule, NULL) || !is_rule(rule)))
            return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                            "Invalid filter pattern definition.");
    }
    return true;
}

static bool check_destination(struct call *c, const struct lam_target *t, enum source source)
{
    struct jval config = jval_get(c->in, "DestinationConfig");
    if (!jval_present(config))
        return true;
    if (source == SOURCE_QUEUE ||
        jval_text(jval_get(jval_get(config, "OnSuccess"), "Destination"), c->arena).n > 0)
        return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                        "Unsupported DestinationConfig parameter for given event source mapping "
                        "type.");
    return lam_destinations_check(c, t, config);
}

/* "a:1,b:2": the brokers of a self-managed Kafka; empty: there are none. */
static struct str brokers_of(struct jval self_managed, struct arena *a)
{
    struct jval list = jval_get(jval_get(self_managed, "Endpoints"), "KAFKA_BOOTSTRAP_SERVERS"),
                it = {0};
    struct buf *b = arena_new_buf(a, 1 << 20);
    while (jval_next(list, &it, NULL)) {
        if (b->n > 0)
            buf_addc(b, ',');
        buf_add(b, jval_text(it, a));
    }
    return buf_view(b);
}

static bool check_duplicate(struct call *c, const struct lam_target *t, struct str arn)
{
    struct lam_doc *docs;
    struct str prefix = arena_fmt(c->arena, "%.*s/%.*s/", STR_ARG(c->account), STR_ARG(c->region));
    struct str function = lam_target_arn(t, c->arena);
    struct str brokers = brokers_of(jval_get(c->in, "SelfManagedEventSource"), c->arena);
    struct jval topic = jval_at(jval_get(c->in, "Topics"), 0);
    size_t n = lam_doc_list(rie_of(c), DOC_MAPPING, prefix, STR_NONE, SIZE_MAX, c->arena, &docs);
    for (size_t i = 0; i < n; i++) {
        struct jval d = docs[i].v;
        struct str uuid = jval_text(jval_get(d, "UUID"), c->arena);
        if (!str_eq(jval_text(jval_get(d, "FunctionArn"), c->arena), function) ||
            !str_eq(jval_text(jval_get(d, "EventSourceArn"), c->arena), arn))
            continue;
        if (arn.n > 0)
            return aws_fail(&c->err, c->arena, &LAMBDA_ResourceConflictException,
                            "The event source arn (\" %.*s \") and function (\" %.*s \") provided "
                            "mapping already exists. Please update or delete the existing mapping "
                            "with UUID %.*s",
                            STR_ARG(arn), STR_ARG(t->name), STR_ARG(uuid));
        if (str_eq(brokers_of(jval_get(d, "SelfManagedEventSource"), c->arena), brokers) &&
            str_eq(jval_text(jval_at(jval_get(d, "Topics"), 0), c->arena),
                   jval_text(topic, c->arena)))
            return aws_fail(&c->err, c->arena, &LAMBDA_ResourceConflictException,
                            "An event source mapping with event source (\"%.*s\"), function "
                            "(\"%.*s\"), topics (\"%.*s\") already exists. Please update or delete "
                            "the existing mapping with UUID %.*s",
                            STR_ARG(brokers), STR_ARG(function),
                            STR_ARG(jval_text(topic, c->arena)), STR_ARG(uuid));
    }
    return true;
}

/* The function that c names for the mapping; it and its qualifier must exist. */
static bool find_function(struct call *c, struct lam_target *t)
{
    return lam_target_find(rie_of(c), c->account, c->region, text_of(c, "FunctionName"), STR_NONE,
                           c->arena, t, &c->err) &&
           (t->f != NULL || aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                                     "Function does not exist"));
}

/* ---- the document ---- */

enum { FOR_STREAM = 1, FOR_QUEUE = 2, FOR_KAFKA = 4, FOR_ALL = 7 };
static const struct setting {
    const char *name;
    const char *fallback; /* JSON text; NULL: absent unless given */
    int sources;
} settings[] = {
    {"AmazonManagedKafkaEventSourceConfig", NULL, FOR_KAFKA},
    {"BatchSize", "100", FOR_ALL},
    {"BisectBatchOnFunctionError", "false", FOR_STREAM},
    {"DestinationConfig", "{\"OnFailure\":{}}", FOR_STREAM | FOR_KAFKA},
    {"EventSourceArn", NULL, FOR_ALL},
    {"FunctionResponseTypes", "[]", FOR_STREAM | FOR_QUEUE},
    {"KMSKeyArn", NULL, FOR_ALL},
    {"MaximumBatchingWindowInSeconds", "0", FOR_ALL},
    {"MaximumRecordAgeInSeconds", "-1", FOR_STREAM},
    {"MaximumRetryAttempts", "-1", FOR_STREAM},
    {"MetricsConfig", NULL, FOR_ALL},
    {"ParallelizationFactor", "1", FOR_STREAM},
    {"ScalingConfig", NULL, FOR_QUEUE},
    {"SelfManagedEventSource", NULL, FOR_KAFKA},
    {"SelfManagedKafkaEventSourceConfig", NULL, FOR_KAFKA},
    {"SourceAccessConfigurations", NULL, FOR_KAFKA},
    {"StartingPosition", NULL, FOR_ALL},
    {"StartingPositionTimestamp", NULL, FOR_ALL},
    {"Topics", NULL, FOR_KAFKA},
    {"TumblingWindowInSeconds", "0", FOR_STREAM},
};

static void write_filters(struct json_out *w, struct jval given, struct jval before)
{
    struct jval criteria = jval_present(given) ? given : before;
    if (jval_count(jval_get(criteria, "Filters")) > 0)
        json_copy(w, "FilterCriteria", criteria);
}

/* state: what this document says of it. */
static struct buf *build(struct call *c, struct jval before, struct str uuid, struct str function,
                         enum source source, struct str state)
{
    struct buf *b = arena_new_buf(c->arena, 2 << 20);
    struct json_out w;
    int bit = source == SOURCE_STREAM ? FOR_STREAM : source == SOURCE_QUEUE ? FOR_QUEUE : FOR_KAFKA;
    struct jval tags = jval_get(jval_present(before) ? before : c->in, "Tags");
    json_out_init(&w, b);
    json_obj(&w, NULL);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct jval v = jval_get(c->in, settings[i].name);
        if (!jval_present(v))
            v = jval_get(before, settings[i].name);
        if (jval_present(v))
            json_copy(&w, settings[i].name, v);
        else if (settings[i].fallback != NULL && (settings[i].sources & bit) != 0)
            json_raw(&w, settings[i].name, str_c(settings[i].fallback));
    }
    json_str(&w, "EventSourceMappingArn",
             arn_format(c->arena, "lambda", c->region, c->account,
                        arena_fmt(c->arena, "event-source-mapping:%.*s", STR_ARG(uuid))));
    write_filters(&w, jval_get(c->in, "FilterCriteria"), jval_get(before, "FilterCriteria"));
    json_str(&w, "FunctionArn", function);
    json_double(&w, "LastModified", (double)c->now_ms / 1000);
    if (source == SOURCE_STREAM)
        json_cstr(&w, "LastProcessingResult", "No records processed");
    else if (source == SOURCE_KAFKA)
        json_cstr(&w, "LastProcessingResult", "PROBLEM: Puddle does not read from Kafka.");
    json_str(&w, "State", state);
    json_cstr(&w, "StateTransitionReason",
              source == SOURCE_STREAM ? "User action" : "USER_INITIATED");
    json_str(&w, "UUID", uuid);
    if (jval_count(tags) > 0)
        json_copy(&w, "Tags", tags);
    json_end(&w);
    return b;
}

static struct str key_of(struct call *c, struct str uuid)
{
    return lam_doc_key(c->arena, c->account, c->region, "%.*s", STR_ARG(uuid));
}

/* The document as a reply: without Tags, and in the state it is passing through (NULL: its own). */
static void write_reply(struct json_out *w, struct jval doc, const char *state)
{
    struct jval it = {0};
    struct str key;
    json_obj(w, NULL);
    while (jval_next(doc, &it, &key)) {
        if (str_eq_c(key, "Tags"))
            continue;
        json_key(w, key);
        if (str_eq_c(key, "State") && state != NULL)
            json_cstr(w, NULL, state);
        else
            json_copy(w, NULL, it);
    }
    json_end(w);
}

static enum call_status store(struct call *c, struct str uuid, struct buf *b, const char *state)
{
    struct jval doc;
    if (b->overflow || !lam_doc_put(rie_of(c), DOC_MAPPING, key_of(c, uuid), b) ||
        !json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &doc, NULL))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The mapping could not be stored.");
    write_reply(&c->out, doc, state);
    return CALL_DONE;
}

/* ---- the operations ---- */

enum call_status lam_create_event_source_mapping(struct call *c)
{
    struct lam_target t;
    struct str arn = text_of(c, "EventSourceArn");
    struct jval self_managed = jval_get(c->in, "SelfManagedEventSource");
    enum source source = source_of(arn);
    bool enabled = true;
    char *uuid = arena_alloc(c->arena, 37);
    jval_bool(jval_get(c->in, "Enabled"), &enabled);
    if (arn.n == 0 && !jval_present(self_managed))
        return bad(c, "Unrecognized event source.%.*s", STR("")), CALL_FAILED;
    if (!check_position(c, arn, source))
        return CALL_FAILED;
    if (arn.n == 0 && jval_count(jval_get(c->in, "SourceAccessConfigurations")) == 0)
        return bad(c, "Required 'sourceAccessConfigurations' parameter is missing.%.*s", STR("")),
               CALL_FAILED;
    if (!find_function(c, &t) || !check_destination(c, &t, source) || !check_filters(c) ||
        !check_duplicate(c, &t, arn) || !check_exists(c, arn) ||
        !lam_tags_check(jval_get(c->in, "Tags"), c->arena, &c->err))
        return CALL_FAILED;
    ids_uuid(uuid);
    struct buf *b = build(c, (struct jval){0}, str_c(uuid), lam_target_arn(&t, c->arena), source,
                          enabled ? STR("Enabled") : STR("Disabled"));
    return store(c, str_c(uuid), b, "Creating");
}

static bool find(struct call *c, struct jval *ret)
{
    return lam_doc_get(rie_of(c), DOC_MAPPING, key_of(c, text_of(c, "UUID")), c->arena, ret) ||
           no_resource(c);
}

enum call_status lam_get_event_source_mapping(struct call *c)
{
    struct jval doc;
    if (!find(c, &doc))
        return CALL_FAILED;
    write_reply(&c->out, doc, NULL);
    return CALL_DONE;
}

enum call_status lam_update_event_source_mapping(struct call *c)
{
    struct jval doc;
    struct lam_target t = {0};
    bool was_enabled, enabled;
    if (!find(c, &doc))
        return CALL_FAILED;
    struct str function = jval_text(jval_get(doc, "FunctionArn"), c->arena);
    struct str arn = jval_text(jval_get(doc, "EventSourceArn"), c->arena);
    enum source source = source_of(arn);
    if (jval_present(jval_get(c->in, "FunctionName"))) {
        if (!find_function(c, &t))
            return CALL_FAILED;
        function = lam_target_arn(&t, c->arena);
    } else if (!lam_target_find(rie_of(c), c->account, c->region, function, STR_NONE, c->arena, &t,
                                &c->err)) {
        return CALL_FAILED;
    }
    if (!check_destination(c, &t, source) || !check_filters(c))
        return CALL_FAILED;
    was_enabled = enabled = str_eq_c(jval_text(jval_get(doc, "State"), c->arena), "Enabled");
    jval_bool(jval_get(c->in, "Enabled"), &enabled);
    struct buf *b = build(c, doc, jval_text(jval_get(doc, "UUID"), c->arena), function, source,
                          enabled ? STR("Enabled") : STR("Disabled"));
    return store(c, text_of(c, "UUID"), b,
                 enabled == was_enabled ? "Updating"
                 : enabled              ? "Enabling"
                                        : "Disabling");
}

enum call_status lam_delete_event_source_mapping(struct call *c)
{
    struct jval doc;
    if (!find(c, &doc))
        return CALL_FAILED;
    if (!lam_doc_del(rie_of(c), DOC_MAPPING, key_of(c, text_of(c, "UUID"))))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The mapping could not be deleted.");
    write_reply(&c->out, doc, "Deleting");
    return CALL_DONE;
}

/* Is doc one of those that c asks for? */
static bool is_wanted(struct call *c, struct jval doc, struct str function)
{
    struct str arn = text_of(c, "EventSourceArn");
    return (arn.n == 0 || str_eq(arn, jval_text(jval_get(doc, "EventSourceArn"), c->arena))) &&
           (function.n == 0 || str_eq(function, jval_text(jval_get(doc, "FunctionArn"), c->arena)));
}

enum call_status lam_list_event_source_mappings(struct call *c)
{
    struct lam_doc *docs;
    struct lam_page page = {0};
    struct str after, function = STR_NONE;
    size_t limit, given = 0;
    struct str prefix = arena_fmt(c->arena, "%.*s/%.*s/", STR_ARG(c->account), STR_ARG(c->region));
    if (jval_present(jval_get(c->in, "FunctionName"))) {
        struct lam_target t;
        if (!lam_target_find(rie_of(c), c->account, c->region, text_of(c, "FunctionName"), STR_NONE,
                             c->arena, &t, &c->err))
            return CALL_FAILED;
        function = lam_target_arn(&t, c->arena);
    }
    if (!lam_page_read(c, PAGE_MAX, &after, &limit))
        return CALL_FAILED;
    size_t n = lam_doc_list(rie_of(c), DOC_MAPPING, prefix, after, SIZE_MAX, c->arena, &docs);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "EventSourceMappings");
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(c, docs[i].v, function))
            continue;
        if (given == limit) {
            page.next = lam_page_marker(c->arena, after);
            break;
        }
        write_reply(&c->out, docs[i].v, NULL);
        after = docs[i].key;
        given++;
    }
    lam_page_end(c, &page);
    return CALL_DONE;
}
