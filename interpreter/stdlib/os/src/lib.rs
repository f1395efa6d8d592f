//! Native modules of the family `os`, one file or folder per module.
