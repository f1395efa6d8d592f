"""Cases that end or block the worker; those around them must still be judged."""

import os
import signal
import subprocess
import sys
import time
import unittest


class Violent(unittest.TestCase):
    def test_a_passes(self):
        pass

    def test_b_crashes(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def test_c_exits(self):
        os._exit(0)

    def test_d_hangs(self):
        time.sleep(600)

    def test_e_leaks(self):
        hoard = []
        while True:
            hoard.append(bytearray(8 << 20))
            time.sleep(0.002)

    def test_f_forks(self):
        """The child falls through into the rest of the suite; its records must not count."""
        if os.fork() == 0:
            self.fail("in the child")
        os.wait()

    def test_g_leaves_a_process(self):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        time.sleep(0.6)

    def test_h_panics(self):
        os.write(2, b"thread 'main' panicked at vm/src/stack.rs:12:5:\nindex out of bounds: 17\n")
        os.abort()

    def test_i_passes(self):
        pass
