"""A case that closes every descriptor, the recorder's among them, and a module fixture that fails at the end."""

import os
import unittest


class Closes(unittest.TestCase):
    def test_a_passes(self):
        pass

    def test_b_closes(self):
        os.closerange(3, 256)

    def test_c_passes(self):
        pass


def tearDownModule():
    raise RuntimeError("the module does not clean up")
