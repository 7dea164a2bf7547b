/**
 * GGUF v3, llama.cpp's file format: types of blocks, names, metadata, headers, and what a scheme
 * becomes there. Opens no file and computes no block; those are packed by kernels.
 */
package io.shardpress.schemas.gguf;
