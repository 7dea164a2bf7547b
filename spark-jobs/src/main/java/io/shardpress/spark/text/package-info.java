/**
 * Calibration and held-out text: documents from files, tokens from tokenizer.json, windows of
 * tokens. What a model makes of them is not its matter.
 */
package io.shardpress.spark.text;
