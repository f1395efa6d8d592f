"""A module that does not load."""

import no_such_module_anywhere
