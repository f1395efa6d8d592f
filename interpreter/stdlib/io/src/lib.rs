//! Native modules of the family `io`, one file or folder per module.
