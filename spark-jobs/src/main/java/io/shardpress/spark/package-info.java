/**
 * Who computes what where: the DataSource, the jobs, the part store, the commit, the command line.
 * Formulas live in kernels, formats in schemas.
 */
package io.shardpress.spark;
