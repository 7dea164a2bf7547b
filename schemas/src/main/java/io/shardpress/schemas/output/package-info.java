/**
 * What is published: compressed-tensors' config and tensors, the manifest, the tree hash. Names,
 * shapes and text only; bytes are packed by kernels and written by spark-jobs.
 */
package io.shardpress.schemas.output;
