//! The cycle collector's entry points.
use std::ptr::NonNull;

use crate::header::Header;

/// Makes a finished object visible to the collector.
#[inline(always)]
pub(crate) fn publish(_object: NonNull<Header>) {}
