"""Compares an answer with what a case expects. Returns None, or where and how they differ."""
import json
import re

SETS = ("SS", "NS", "BS")


def show(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 600 else text[:600] + "..."


def unordered(want, got, where, bound):
    if not isinstance(got, list) or len(got) != len(want):
        return "%s: expected %s in any order, got %s" % (where, show(want), show(got))
    left = list(got)
    for w in want:
        for g in left:
            if match(w, g, where, bound) is None:
                left.remove(g)
                break
        else:
            return "%s: %s is not in %s" % (where, show(w), show(got))
    return None


def match(want, got, where="body", bound=None):
    """bound: values captured by "=name", filled here."""
    bound = {} if bound is None else bound
    if isinstance(want, str):
        if want == "*":
            return None
        if want.startswith("=") and want[1:].isidentifier():
            if want[1:] in bound:
                return match(bound[want[1:]], got, where, None)
            bound[want[1:]] = got
            return None
        if want.startswith("~"):
            if not isinstance(got, str) or not re.fullmatch(want[1:], got, re.S):
                return "%s: expected to match %s, got %s" % (where, want[1:], show(got))
            return None
        if want == "<number>":
            ok = isinstance(got, (int, float)) and not isinstance(got, bool)
            return None if ok else "%s: expected a number, got %s" % (where, show(got))
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return "%s: expected %s, got %s" % (where, show(want), show(got))
        for name, value in want.items():
            if name == "...":
                continue
            if value == "<absent>":
                if name in got:
                    return "%s.%s: expected to be absent, got %s" % (where, name, show(got[name]))
                continue
            if name not in got:
                return "%s.%s: missing in %s" % (where, name, show(got))
            check = unordered if name in SETS and isinstance(value, list) and len(want) == 1 else match
            bad = check(value, got[name], "%s.%s" % (where, name), bound)
            if bad:
                return bad
        extra = [n for n in got if n not in want]
        if extra and "..." not in want:
            return "%s: not expected: %s" % (where, show({n: got[n] for n in extra}))
        return None
    if isinstance(want, list):
        if want[:1] == ["<any order>"]:
            return unordered(want[1:], got, where, bound)
        if not isinstance(got, list) or len(got) != len(want):
            return "%s: expected %s, got %s" % (where, show(want), show(got))
        for i, (w, g) in enumerate(zip(want, got)):
            bad = match(w, g, "%s[%d]" % (where, i), bound)
            if bad:
                return bad
        return None
    if isinstance(want, bool) != isinstance(got, bool) or want != got:
        return "%s: expected %s, got %s" % (where, show(want), show(got))
    return None


def fill(value, bound):
    """Puts captured values into a request: "=name"."""
    if isinstance(value, str) and value.startswith("=") and value[1:] in bound:
        return bound[value[1:]]
    if isinstance(value, dict):
        return {k: fill(v, bound) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, bound) for v in value]
    return value
