/* links: puddle_lang */
#include "harness.h"
#include "vtl.h"
#include <stdlib.h>

static struct arena *a;

static bool host_call(const struct vtl_host *self, struct str method, const struct vtl_value *args,
                      size_t count, struct arena *mem, struct vtl_value *ret)
{
    (void)self;
    if (!str_eq_c(method, "twice") || count != 1)
        return false;
    *ret = vtl_string(arena_fmt(mem, "%.*s%.*s", STR_ARG(vtl_text(&args[0], mem)),
                                STR_ARG(vtl_text(&args[0], mem))));
    return true;
}

static const struct vtl_host host = {host_call, NULL, NULL};

/* The output, or "error: ...". */
static struct str render(const char *text)
{
    struct vtl_template *t;
    struct str error;
    struct jval doc;
    struct buf *out = arena_new_buf(a, VTL_OUTPUT_MAX);
    struct vtl_value vars = vtl_new_map(a);
    static const char data[] =
        "{\"name\":\"J\u00fcrgen\",\"n\":3,\"d\":1.5,\"t\":true,\"f\":false,\"list\":[1,\"b\",null,"
        "{\"x\":"
        "2}],\"map\":{\"a\":1,\"b\":{\"c\":\"deep\"}},\"empty\":\"\",\"csv\":\"a,b,,c,,\"}";
    json_parse(a, str_c(data), JSON_DEPTH_DEFAULT, &doc, NULL);
    vars = vtl_from_json(doc, a);
    vtl_map_put(vars.map, a, STR("host"), (struct vtl_value){.type = VTL_HOST, .host = &host});
    if (!vtl_parse(a, str_c(text), &t, &error) || !vtl_render(t, vars.map, a, out, &error))
        return arena_fmt(a, "error: %.*s", STR_ARG(error));
    return buf_view(out);
}

struct row {
    const char *text, *want;
};

static void check(const struct row *rows, size_t count, const char *file, int line)
{
    a = arena_new(0, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct str got = render(rows[i].text);
        if (!str_eq_c(got, rows[i].want))
            test_fail(file, line, "%s\n    got  %.*s\n    want %s", rows[i].text, STR_ARG(got),
                      rows[i].want);
    }
    arena_free(a);
}
#define CHECK_ROWS(rows) check(rows, sizeof(rows) / sizeof *(rows), __FILE__, __LINE__)

TEST(references_print_values_and_undefined_ones_print_themselves)
{
    static const struct row rows[] = {
        {"", ""},
        {"plain $ text # 5$ $5 $. ${", "plain $ text # 5$ $5 $. ${"},
        {"$name", "J\u00fcrgen"},
        {"${name}s $!name $!{name}", "J\u00fcrgens J\u00fcrgen J\u00fcrgen"},
        {"$nope ${nope} $nope.x.y() [$!nope]", "$nope ${nope} $nope.x.y() []"},
        {"$map.b.c $map.get('b').c $map['a'] $list[0] $list[-1].x", "deep deep 1 1 2"},
        {"$map.nope.c $list[9] $!list[9].", "$map.nope.c $list[9] ."},
        {"$n. $n: \"$n\"", "3. 3: \"3\""},
        {"$list $map", "[1,\"b\",null,{\"x\":2}] {a=1, b={c=deep}}"},
        {"$t $f $d $empty.", "true false 1.5 ."},
        {"$n-1 ${n}-1", "$n-1 3-1"}, /* a hyphen belongs to the name */
        {"$host.twice('ab') $host.thrice('ab') $host", "abab $host.thrice('ab') $host"},
        {"$n[ x", "3[ x"},
        {"[$context.nope][$input.path('$.x')][$stageVariables]", "[][][]"},
    };
    CHECK_ROWS(rows);
}

TEST(set_changes_variables_members_and_elements)
{
    static const struct row rows[] = {
        {"#set($x = 5)$x", "5"},
        {"#set( $x = \"a$n\" )$x", "a3"},
        {"#set($x = 'a$n')$x", "a$n"},
        {"#set($map.z = [1, 'two', $n])$map.z $map.z.size()", "[1, two, 3] 3"},
        {"#set($list[1] = 'new')$list[1]", "new"},
        {"#set($m = {'k': 1, \"l\": {'m': true}})$m $m.l.m", "{k=1, l={m=true}} true"},
        {"#set($x = 1)#set($x = $nope)$x", "1"},
        {"#set($r = [1..3])$r #set($r = [3..1])$r", "[1, 2, 3][3, 2, 1]"},
        {"a\n  #set($x = 1)  \nb", "a\nb"},
        {"#set($s = \"\"\"q\"\"\")$s", "\"q\""},
        {"#set($q = 'it''s')$q", "it's"},
        {"#set($e = {})$e #set($e = [])$e", "{}[]"},
    };
    CHECK_ROWS(rows);
}

TEST(expressions_follow_velocitys_rules)
{
    static const struct row rows[] = {
        {"#set($x = 1 + 2 * 3 - 4 / 2)$x", "5"},
        {"#set($x = (1 + 2) * 3 % 5)$x", "4"},
        {"#set($x = 7 / 2)$x #set($x = 7.0 / 2)$x", "33.5"},
        {"#set($x = 1 / 0)$x", "$x"},
        {"#set($x = 'a' + 1)$x", "a1"},
        {"#set($x = $n - 1)$x", "2"},
        {"#if(1 == 1.0)y#end#if('1' == 1)y#end#if($nope == $null)y#end", "yyy"},
        {"#if($n > 2 && $n < 4)y#end#if($n >= 4 || $n le 3)y#end#if(!$nope)y#end", "yyy"},
        {"#if(not $t or $f)n#else y#end", " y"},
        {"#if($empty)true, as only null and false are false#end",
         "true, as only null and false are false"},
        {"#if($n ne 3)n#elseif($n eq 3 and $t)y#else n#end", "y"},
        {"#if('b' > 'a')y#else n#end", " n"}, /* only numbers are ordered */
        {"#set($big = 9223372036854775807 + 1)$big", "$big"},
        {"#set($x = -5)$x #set($y = 3 - -2)$y", "-55"},
    };
    CHECK_ROWS(rows);
}

TEST(directives_take_their_line_end_with_them)
{
    static const struct row rows[] = {
        {"#if($t)\nyes\n#else\nno\n#end\nafter", "yes\nafter"},
        {"#foreach($i in [1..3])\n$i#if($foreach.hasNext),#end\n#end", "1,2,3"},
        {"x #if($t) a #end b", "x  a  b"},
        {"## comment\ntext #* inner\n *# more", "text  more"},
        {"#[[$n #set($x = 1)]]# $n", "$n #set($x = 1) 3"},
        {"\\$n \\#set($x = 1)", "$n #set($x = 1)"},
        {"#{if}($t)a#{else}b#{end}c", "ac"},
        {"#ended #ifx # #1", "#ended #ifx # #1"},
    };
    CHECK_ROWS(rows);
}

TEST(foreach_walks_lists_and_the_values_of_maps)
{
    static const struct row rows[] = {
        {"#foreach($x in $list)[$!x]#end", "[1][b][][{x=2}]"},
        {"#foreach($k in $map.keySet())$k=$map.get($k);#end", "a=1;b={c=deep};"},
        {"#foreach($e in $map.entrySet())$e.key:$e.getValue() #end", "a:1 b:{c=deep} "},
        {"#foreach($x in $map)$x #end", "1 {c=deep} "},
        {"#foreach($x in [5, 6])$foreach.index$foreach.count$velocityCount$foreach.first #end$x",
         "011true 122false $x"},
        {"#foreach($x in [1..9])#if($x == 3)#break#end$x#end.", "12."},
        {"#foreach($x in [1..3])$x#stop#end.", "1"},
        {"#foreach($x in $nope)$x#end.", "."},
        {"#foreach($i in [1, 2])#foreach($j in [1, 2])$i$j$foreach.parent.index #end#end",
         "110 120 211 221 "},
    };
    CHECK_ROWS(rows);
}

TEST(strings_lists_and_maps_have_their_java_methods)
{
    static const struct row rows[] = {
        {"$name.length() $name.substring(1) $name.substring(0,2) $name.charAt(1)",
         "6 \u00fcrgen J\u00fc \u00fc"},
        {"$name.toUpperCase() $name.replace('r','R') $name.indexOf('g') $name.indexOf('z')",
         "J\u00fcRGEN J\u00fcRgen 3 -1"},
        {"$csv.split(',') $csv.split(',').size()", "[a, b, , c] 4"},
        {"$csv.replaceAll('[a-c]', '<$0>') $csv.replaceFirst('(a),(b)', '$2-$1')",
         "<a>,<b>,,<c>,, b-a,,c,,"},
        {"$csv.matches('a.*') $csv.matches('a') $csv.startsWith('a,') $csv.endsWith(',') "
         "$csv.contains('c')",
         "true false true true true"},
        {"$name.substring(9) $name.charAt(-1)", "$name.substring(9) $name.charAt(-1)"},
        {"#set($s = '  x ')[$s.trim()]$s.isEmpty()$empty.isEmpty()$empty.empty",
         "[x]falsetruetrue"},
        {"$list.size() $list.get(1) $list.contains('b') $list.indexOf('q') $list.isEmpty()",
         "4 b true -1 false"},
        {"#set($l = [1])#set($q = $l.add(2))#set($q = $l.add(0, 'z'))$l $l.remove(0) $l "
         "$l.subList(0,1)",
         "[z, 1, 2] z [1, 2] [1]"},
        {"#set($q = $map.put('z', 1))$map.size() $map.containsKey('z') $map.remove('z') "
         "$map.containsKey('z') $map.getOrDefault('y','d')",
         "3 true 1 false d"},
        {"$map.values()", "[1, {c=deep}]"},
        {"$d.intValue() $n.doubleValue() $n.toString().length() $n.equals(3) $n.equals('3')",
         "1 3.0 1 true false"},
        {"$name.getClass() $name.class $name.nope()", "$name.getClass() $name.class $name.nope()"},
    };
    CHECK_ROWS(rows);
}

TEST(doubles_print_as_in_java)
{
    static const struct row rows[] = {
        {"#set($x = 1.0)$x", "1.0"},
        {"#set($x = 100.0)$x", "100.0"},
        {"#set($x = 0.001)$x", "0.001"},
        {"#set($x = 0.0001)$x", "1.0E-4"},
        {"#set($x = 12345678.9)$x", "1.23456789E7"},
        {"#set($x = 9999999.0)$x", "9999999.0"},
        {"#set($x = 10000000.0)$x", "1.0E7"},
        {"#set($x = 0.1 + 0.2)$x", "0.30000000000000004"},
        {"#set($x = 0.0)$x", "0.0"},
    };
    CHECK_ROWS(rows);
}

TEST(malformed_templates_are_refused)
{
    static const char *const texts[] = {"#if($t)",
                                        "#end",
                                        "#else",
                                        "#foreach($x in)#end",
                                        "#set($x)",
                                        "#set(x = 1)",
                                        "#if $t#end",
                                        "#foreach($x of $y)#end",
                                        "#set($x = [1)",
                                        "#set($x = 'a)",
                                        "#set($x = 1 +)",
                                        "#* open",
                                        "#macro(x)#end",
                                        "#set($x = {1})",
                                        "#set($x = \"#if($t)\")"};
    a = arena_new(0, SIZE_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct str got = render(texts[i]);
        if (!str_starts(got, STR("error: ")))
            test_fail(__FILE__, __LINE__, "%s gave %.*s", texts[i], STR_ARG(got));
    }
    arena_free(a);
}

TEST(what_would_run_for_ever_or_too_deep_ends)
{
    a = arena_new(0, SIZE_MAX);
    CHECK_STR(render("#foreach($x in [1..5000])#end#set($l = [1..5000])$l.size()"), "1001");
    CHECK(str_starts(render("#set($l=[1..1000])#foreach($a in $l)#foreach($b in $l)#foreach($c in "
                            "$l)x#end#end#end"),
                     STR("error: the template takes too many steps")));
    CHECK(str_starts(render("#set($l=[1])#set($q=$l.add($l))$l"), STR("error: the output")));
    struct buf *b = arena_new_buf(a, 1 << 20);
    for (int i = 0; i < 5000; i++)
        buf_add(b, STR("#if($t)"));
    CHECK(str_starts(render(arena_buf(a, b).p), STR("error: the template is nested too deep")));
    buf_clear(b);
    buf_add(b, STR("#set($x = "));
    for (int i = 0; i < 5000; i++)
        buf_addc(b, '[');
    CHECK(str_starts(render(arena_buf(a, b).p), STR("error: the template is nested too deep")));
    buf_clear(b);
    buf_add(b, STR("#if("));
    for (int i = 0; i < 5000; i++)
        buf_addc(b, '!');
    CHECK(str_starts(render(arena_buf(a, b).p), STR("error: ")));
    arena_free(a);
}

TEST(a_template_may_have_300_kb_and_no_more)
{
    struct vtl_template *t;
    struct str error;
    a = arena_new(0, SIZE_MAX);
    char *text = arena_alloc(a, VTL_TEMPLATE_MAX + 1);
    memset(text, 'x', VTL_TEMPLATE_MAX + 1);
    CHECK(vtl_parse(a, (struct str){text, VTL_TEMPLATE_MAX}, &t, &error));
    CHECK(!vtl_parse(a, (struct str){text, VTL_TEMPLATE_MAX + 1}, &t, &error));
    arena_free(a);
}
