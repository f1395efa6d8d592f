//! Native modules of the family `core`, one file or folder per module.
