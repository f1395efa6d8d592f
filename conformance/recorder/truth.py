"""Cases whose outcome is known: a subject that reports another one for any of them is not to be believed.

The name of a case says how it must end. What fails here fails by different means, so that one broken method of unittest,
one operator that always agrees or one runner that swallows errors does not hide.
"""

import unittest


class Truth(unittest.TestCase):
    def test_plain_case_must_pass(self):
        self.assertEqual(6 * 7, 42)

    def test_assertEqual_of_numbers_must_fail(self):
        self.assertEqual(1, 2)

    def test_assertEqual_of_lists_must_fail(self):
        self.assertEqual([1, 2, 3], [1, 2, 4])

    def test_assertEqual_of_strings_must_fail(self):
        self.assertEqual("one\ntwo", "one\nthree")

    def test_assertTrue_must_fail(self):
        self.assertTrue([])

    def test_assertIs_must_fail(self):
        self.assertIs([], [])

    def test_assertIn_must_fail(self):
        self.assertIn(4, {1: 2})

    def test_assertRaises_without_exception_must_fail(self):
        with self.assertRaises(ValueError):
            pass

    def test_assertRaises_of_another_exception_must_error(self):
        with self.assertRaises(ValueError):
            raise KeyError("other")

    def test_assertWarns_without_warning_must_fail(self):
        with self.assertWarns(UserWarning):
            pass

    def test_assert_statement_must_fail(self):
        assert 1 == 2

    def test_fail_must_fail(self):
        self.fail("as told")

    def test_exception_must_error(self):
        raise RuntimeError("as told")

    def test_exception_in_a_call_must_error(self):
        {}["missing"]

    def test_exception_in_a_cleanup_must_error(self):
        self.addCleanup(int, "no number")

    def test_skip_must_skip(self):
        self.skipTest("as told")

    @unittest.expectedFailure
    def test_expected_failure_must_xfail(self):
        self.fail("as told")

    @unittest.expectedFailure
    def test_unexpected_success_must_xpass(self):
        pass

    def test_subtests_must_fail(self):
        for number in range(4):
            with self.subTest(number=number):
                self.assertNotEqual(number, 2)
