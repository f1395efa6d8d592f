//! Native modules of the family `math`, one file or folder per module.
