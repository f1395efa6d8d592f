"""Build-time variables for `sysconfig`: Krait is not built by a Makefile, so these are few."""

import sys

_lib = sys.prefix + '/lib'
build_time_vars = {
    'ABIFLAGS': '',
    'AR': 'ar',
    'BINDIR': sys.prefix + '/bin',
    'BINLIBDEST': _lib + '/python3.13',
    'CC': 'cc',
    'CONFIG_ARGS': '',
    'CXX': 'c++',
    'EXE': '',
    'EXT_SUFFIX': '.krait-313-x86_64-linux-gnu.so',
    'HAVE_FORK': 1,
    'HOST_GNU_TYPE': 'x86_64-pc-linux-gnu',
    'INCLUDEPY': sys.prefix + '/include/python3.13',
    'LIBDEST': _lib + '/python3.13',
    'LIBDIR': _lib,
    'MULTIARCH': 'x86_64-linux-gnu',
    'PLATLIBDIR': 'lib',
    'Py_DEBUG': 0,
    'Py_ENABLE_SHARED': 0,
    'Py_GIL_DISABLED': 0,
    'SHLIB_SUFFIX': '.so',
    'SIZEOF_LONG': 8,
    'SIZEOF_SIZE_T': 8,
    'SIZEOF_VOID_P': 8,
    'SO': '.krait-313-x86_64-linux-gnu.so',
    'SOABI': 'krait-313-x86_64-linux-gnu',
    'TZPATH': '/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo',
    'VERSION': '3.13',
    'WITH_DOC_STRINGS': 1,
    'exec_prefix': sys.exec_prefix,
    'prefix': sys.prefix,
}
