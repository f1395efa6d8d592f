"""A case that kills its parent: the cases around it must still be judged."""

import os
import signal
import time
import unittest


class Kills(unittest.TestCase):
    def test_a_passes(self):
        pass

    def test_b_kills_its_parent(self):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(30)

    def test_c_passes(self):
        pass
