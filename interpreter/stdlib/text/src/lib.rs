//! Native modules of the family `text`, one file or folder per module.
