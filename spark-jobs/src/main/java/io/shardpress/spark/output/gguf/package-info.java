/** Files that llama.cpp loads. */
package io.shardpress.spark.output.gguf;
