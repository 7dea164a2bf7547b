/**
 * The nouns: checkpoints, tensors, models, recipes, output formats, Arrow table schemas. Computes
 * nothing and opens no file.
 */
package io.shardpress.schemas;
