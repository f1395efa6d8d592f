//! Native modules of the family `crypto`, one file or folder per module.
