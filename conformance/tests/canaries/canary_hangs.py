"""More hangs than a module is given."""

import time
import unittest


class Hangs(unittest.TestCase):
    def hang(self):
        time.sleep(600)

    test_1 = test_2 = test_3 = test_4 = hang
