package io.shardpress.kernels.nn;

/**
 * What a forward pass through a block leaves for the backward pass, and room for the latter; reused
 * from batch to batch. All are [rows × width], row-major.
 */
public final class BlockActivations {
  final int capacity;
  int rows;
  int window;

  final float[] input;
  final float[] attentionInput;
  final float[] queryBeforeNorm;
  final float[] keyBeforeNorm;
  final float[] query;
  final float[] key;
  final float[] value;
  final float[] logSumExp;
  final float[] attention;
  final float[] middle;
  final float[] feedForwardInput;
  final float[] gate;
  final float[] up;
  final float[] feedForward;
  final float[] output;

  // Made when a stage's input is first quantized: most blocks never do.
  private float[] quantizedInput = {};

  /** Room for batches of up to {@code rows} tokens. */
  public BlockActivations(BlockShape shape, boolean headNorms, int rows) {
    this.capacity = rows;
    int q = Math.multiplyExact(rows, shape.queryWidth());
    int k = Math.multiplyExact(rows, shape.keyWidth());
    int hidden = Math.multiplyExact(rows, shape.hidden());
    int ffn = Math.multiplyExact(rows, shape.ffn());
    input = new float[hidden];
    attentionInput = new float[hidden];
    queryBeforeNorm = new float[headNorms ? q : 0];
    keyBeforeNorm = new float[headNorms ? k : 0];
    query = new float[q];
    key = new float[k];
    value = new float[k];
    logSumExp = new float[Math.multiplyExact(rows, shape.heads())];
    attention = new float[q];
    middle = new float[hidden];
    feedForwardInput = new float[hidden];
    gate = new float[ffn];
    up = new float[ffn];
    feedForward = new float[ffn];
    output = new float[hidden];
  }

  /** Tokens of the batch that the last forward pass saw. */
  public int rows() {
    return rows;
  }

  /** Where the caller puts the block's input, [rows×hidden], before a forward pass. */
  public float[] input() {
    return input;
  }

  /** The block's output, [rows×hidden]. */
  public float[] output() {
    return output;
  }

  /** The residual stream between attention and feed-forward, [rows×hidden]. */
  public float[] middle() {
    return middle;
  }

  /** Room for a stage's quantized input, [capacity×in]; the next stage's takes its place. */
  float[] quantizedInput(int in) {
    int size = Math.multiplyExact(capacity, in);
    if (quantizedInput.length < size) {
      quantizedInput = new float[size];
    }
    return quantizedInput;
  }

  /** What the linears of a stage read, [rows×in]; where activations are quantized, before that. */
  public float[] stageInput(Stage stage) {
    return switch (stage) {
      case QKV -> attentionInput;
      case O -> attention;
      case GATE_UP -> feedForwardInput;
      case DOWN -> feedForward;
    };
  }
}
