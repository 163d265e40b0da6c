#!/usr/bin/env python3
"""Measures the release build (build/puddle). Every row is measured in this run; ratios are what counts, absolute figures
move with the machine. CPU is user plus system time of the server. --quick: short runs. Words select parts: start items
growth peers invoke gateway."""
import os
import statistics
import subprocess
import sys
import tempfile
import time
import shutil

import functions
import gateway_cost
import items
from measure import ROOT, puddle, row, rows


def start_ms(*args):
    times = []
    for _ in range(20):
        folder = tempfile.mkdtemp()
        began = time.monotonic()
        process = subprocess.Popen([os.environ["PUDDLE"], "start", "--port", "0", "--quiet", *args], cwd=folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while process.stdout.readline() not in (b"Ready.\n", b""):
            pass
        times.append((time.monotonic() - began) * 1000)
        process.terminate()
        process.wait()
        process.stdout.close()
        shutil.rmtree(folder)
    return statistics.median(times)


def bench_start():
    for name, args, limit in (("empty folder", [], 30), ("example template", ["-t", str(ROOT / "fixtures/example/template.yaml")], 100)):
        took = start_ms(*args)
        row("start, %s, median of 20" % name, "%.1f ms" % took, "< %d ms" % limit, took < limit)
    s = puddle(ephemeral=True)
    with open("/proc/%d/status" % s.pid) as f:
        rss = [int(l.split()[1]) for l in f if l.startswith("VmRSS")][0] / 1024
    row("idle RSS", "%.1f MB" % rss, "< 12 MB", rss < 12)
    s.close()
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "puddle")
        subprocess.run(["strip", "-o", copy, os.environ["PUDDLE"]], check=True)
        size = os.path.getsize(copy) / 1e6
    row("binary, stripped", "%.2f MB" % size, "< 3 MB", size < 3)


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    made = None
    if not words or "start" in words:
        bench_start()
    if not words or "items" in words or "peers" in words:
        made = items.ours()
    if not words or "growth" in words:
        items.growth()
    if not words or "peers" in words:
        items.peers(made)
    if not words or "invoke" in words:
        functions.run()
    if not words or "gateway" in words:
        gateway_cost.run()
    missed = [r for r in rows if r[3] == "MISS"]
    print("\n%d rows, %d within their bar, %d missed" % (len(rows), sum(r[3] == "ok" for r in rows), len(missed)))


main()
