//! Values, objects, heap, collector, types as data: the first home of unsafe code.
