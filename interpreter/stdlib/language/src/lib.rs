//! Native modules of the family `language`, one file or folder per module.
