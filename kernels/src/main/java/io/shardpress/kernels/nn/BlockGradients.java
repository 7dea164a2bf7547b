package io.shardpress.kernels.nn;

/** Room for the gradients of a block's activations, reused from batch to batch; [rows × width]. */
public final class BlockGradients {
  final float[] feedForward;
  final float[] gate;
  final float[] up;
  final float[] normed;
  final float[] middle;
  final float[] attention;
  final float[] query;
  final float[] key;
  final float[] value;
  // Of what o and down give before their norms; without those the same as what follows.
  final float[] attentionOutput;
  final float[] feedForwardOutput;
  // Of fused linears' outputs; empty where there are none.
  final float[] queryKeyValue;
  final float[] gateUp;

  /** Room for batches of up to {@code rows} tokens. */
  public BlockGradients(BlockShape shape, int rows) {
    int q = Math.multiplyExact(rows, shape.queryWidth());
    int k = Math.multiplyExact(rows, shape.keyWidth());
    int hidden = Math.multiplyExact(rows, shape.hidden());
    // Of a mixture attention alone is learned here.
    int ffn = shape.mixture() == null ? Math.multiplyExact(rows, shape.ffn()) : 0;
    feedForward = new float[ffn];
    gate = new float[ffn];
    up = new float[ffn];
    normed = new float[hidden];
    middle = new float[hidden];
    attention = new float[q];
    query = new float[q];
    key = new float[k];
    value = new float[k];
    int normed = shape.traits().outputNorms() ? hidden : 0;
    attentionOutput = new float[normed];
    feedForwardOutput = new float[normed];
    boolean fused = shape.traits().fused();
    queryKeyValue = new float[fused ? Math.addExact(q, 2 * k) : 0];
    gateUp = new float[fused ? Math.multiplyExact(2, ffn) : 0];
  }
}
