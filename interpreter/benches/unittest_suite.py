"""unittest: a small suite with fixtures, subtests, expected failures, mocks and clean-ups, loaded and run over and over."""
import io
import unittest
from unittest import mock


class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        if not self.items:
            raise IndexError("empty")
        return self.items.pop()


class StackCases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = 0

    def setUp(self):
        self.stack = Stack()
        type(self).made += 1
        self.addCleanup(self.stack.items.clear)

    def test_push(self):
        self.stack.push(1)
        self.assertEqual(self.stack.items, [1])
        self.assertIn(1, self.stack.items)

    def test_pop(self):
        self.stack.push("a")
        self.assertEqual(self.stack.pop(), "a")
        self.assertFalse(self.stack.items)

    def test_empty(self):
        with self.assertRaises(IndexError) as caught:
            self.stack.pop()
        self.assertEqual(str(caught.exception), "empty")
        self.assertRaisesRegex(IndexError, "^emp", self.stack.pop)

    def test_many(self):
        for size in range(20):
            with self.subTest(size=size):
                self.stack.push(size)
                self.assertEqual(len(self.stack.items), size + 1)

    def tearDown(self):
        self.assertIsInstance(self.stack, Stack)


class ComparisonCases(unittest.TestCase):
    def test_containers(self):
        self.assertListEqual([1, [2, 3]], [1, [2, 3]])
        self.assertDictEqual({"a": 1, "b": [2]}, {"b": [2], "a": 1})
        self.assertSetEqual({1, 2}, {2, 1})
        self.assertCountEqual("abca", "aabc")
        self.assertMultiLineEqual("one\ntwo\n", "one\ntwo\n")

    def test_numbers(self):
        self.assertAlmostEqual(0.1 + 0.2, 0.3)
        self.assertGreater(2, 1)
        self.assertLessEqual(1, 1)
        self.assertIsNone(None)

    def test_fails(self):
        self.assertEqual([1, 2, 3, 4], [1, 2, 4, 3], "wrong order")

    def test_error(self):
        raise KeyError("missing")

    @unittest.skip("not now")
    def test_skipped(self):
        self.fail()

    @unittest.expectedFailure
    def test_expected(self):
        self.assertTrue(0)


class MockCases(unittest.TestCase):
    def test_calls(self):
        service = mock.Mock(return_value=3)
        service.load.side_effect = [1, ValueError]
        self.assertEqual(service(1, key="x"), 3)
        self.assertEqual(service.load(), 1)
        self.assertRaises(ValueError, service.load)
        service.assert_called_once_with(1, key="x")

    def test_patch(self):
        with mock.patch.object(Stack, "pop", return_value="patched") as pop:
            self.assertEqual(Stack().pop(), "patched")
        pop.assert_called_once()


def main(rounds):
    loader = unittest.TestLoader()
    totals = [0, 0, 0, 0, 0]
    for _ in range(rounds):
        suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (StackCases, ComparisonCases, MockCases))
        stream = io.StringIO()
        result = unittest.TextTestRunner(stream, verbosity=2).run(suite)
        counts = result.testsRun, len(result.failures), len(result.errors), len(result.skipped), len(result.expectedFailures)
        totals = [total + count for total, count in zip(totals, counts)]
    return totals, StackCases.made, stream.getvalue().count("... ok")


print(main(150))
