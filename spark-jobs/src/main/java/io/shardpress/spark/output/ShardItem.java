package io.shardpress.spark.output;

import java.io.Serializable;

/** A tensor of a published file, and where its bytes come from. */
public record ShardItem(PlannedTensor tensor, TensorSource source) implements Serializable {}
