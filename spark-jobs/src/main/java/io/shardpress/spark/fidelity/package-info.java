/** scripts/fidelity: tables of learners by schemes. */
package io.shardpress.spark.fidelity;
