#!/usr/bin/env python3
"""Runs the client tests (unittest classes in test_*.py); arguments select by name. Ends with the
plain line "N passed, N failed, N skipped"."""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        self.passed += 1
        super().addSuccess(test)


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


chosen = unittest.TestSuite(t for t in flatten(unittest.defaultTestLoader.discover(str(HERE), "test_*.py"))
                            if not sys.argv[1:] or any(word in t.id() for word in sys.argv[1:]))
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(chosen)
failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
print("%d passed, %d failed, %d skipped" % (result.passed, failed, len(result.skipped)))
sys.exit(failed > 0)
