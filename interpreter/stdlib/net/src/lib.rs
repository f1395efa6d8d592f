//! Native modules of the family `net`, one file or folder per module.
