/**
 * Model families: small ones with random weights, and their forward passes written once more from
 * the families' definitions, number by number.
 */
package io.shardpress.spark.family;
