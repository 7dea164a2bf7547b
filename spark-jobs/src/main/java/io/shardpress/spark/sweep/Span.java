package io.shardpress.spark.sweep;

/** How far a pass goes. */
public enum Span {
  /** To the block's output. */
  BLOCK,
  /** To the residual stream between attention and feed-forward. */
  ATTENTION
}
