/**
 * The safetensors format: dtypes, headers and shard indexes, from bytes and to bytes. Opens no
 * file; the tensors' data stays where it is.
 */
package io.shardpress.schemas.safetensors;
