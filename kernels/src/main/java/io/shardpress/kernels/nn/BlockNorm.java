package io.shardpress.kernels.nn;

/** The norms of a decoder block, of which a family may lack some. */
public enum BlockNorm {
  /** Before attention, {@link BlockWeights#inputNorm}. */
  INPUT,
  /** Of the heads' queries. */
  QUERY,
  /** Of the heads' keys. */
  KEY,
  /** Of what attention adds to the residual stream. */
  ATTENTION_OUTPUT,
  /** Before the feed-forward, {@link BlockWeights#postNorm}. */
  POST,
  /** Of what the feed-forward adds to the residual stream. */
  FEED_FORWARD_OUTPUT
}
