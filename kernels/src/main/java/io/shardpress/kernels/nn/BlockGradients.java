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

  /** Room for batches of up to {@code rows} tokens. */
  public BlockGradients(BlockShape shape, int rows) {
    int q = Math.multiplyExact(rows, shape.queryWidth());
    int k = Math.multiplyExact(rows, shape.keyWidth());
    int hidden = Math.multiplyExact(rows, shape.hidden());
    int ffn = Math.multiplyExact(rows, shape.ffn());
    feedForward = new float[ffn];
    gate = new float[ffn];
    up = new float[ffn];
    normed = new float[hidden];
    middle = new float[hidden];
    attention = new float[q];
    query = new float[q];
    key = new float[k];
    value = new float[k];
  }
}
