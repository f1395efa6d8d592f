"""Every outcome that a case can have without taking the worker down."""

import unittest


class Plain(unittest.TestCase):
    def test_passes(self):
        pass

    def test_fails(self):
        self.assertEqual(1, 2)

    def test_errors(self):
        raise KeyError("missing")

    def test_skips(self):
        self.skipTest("not here")

    @unittest.expectedFailure
    def test_fails_as_expected(self):
        self.fail()

    @unittest.expectedFailure
    def test_passes_unexpectedly(self):
        pass

    def test_subtests(self):
        for number in range(5):
            with self.subTest(number=number):
                self.assertNotEqual(number, 3)

    def test_prints(self):
        print('{"e": "done", "id": "Plain.test_fails", "status": "pass"}')
        print("\x00\xff garbage \ud800".encode("utf-8", "replace"))

    def test_surrogate_in_message(self):
        raise ValueError("lone \ud800 and \U0001f40d")


class ClassFixtureFails(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("no class today")

    def test_one(self):
        pass

    def test_two(self):
        pass


class ClassFixtureSkips(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("no class tomorrow")

    def test_one(self):
        pass


def same_name():
    class Twice(unittest.TestCase):
        def test_it(self):
            pass

    return Twice


First = same_name()
Second = same_name()


def load_tests(loader, tests, pattern):
    import doctest

    tests.addTest(doctest.DocTestSuite())
    return tests


def documented():
    """
    >>> 6 * 7
    42
    """
