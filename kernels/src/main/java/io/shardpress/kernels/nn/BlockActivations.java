package io.shardpress.kernels.nn;

/**
 * What a forward pass through a block leaves for the backward pass, and room for the latter; reused
 * from batch to batch. All are [rows × width], row-major, and made when they are first asked for: a
 * pass that stops at a stage has no room for those behind it.
 */
@SuppressWarnings("AssignmentExpression") // arrays that are made when first asked for
public final class BlockActivations {
  private static final float[] NONE = {};

  private final BlockShape shape;
  private final int capacity;
  int rows;
  int window;

  private float[] input = NONE;
  private float[] attentionInput = NONE;
  private float[] fused = NONE;
  private float[] queryBeforeNorm = NONE;
  private float[] keyBeforeNorm = NONE;
  private float[] query = NONE;
  private float[] key = NONE;
  private float[] value = NONE;
  private float[] logSumExp = NONE;
  private float[] attention = NONE;
  private float[] attentionOutput = NONE;
  private float[] middle = NONE;
  private float[] feedForwardInput = NONE;
  private float[] gate = NONE;
  private float[] up = NONE;
  private float[] feedForward = NONE;
  private float[] feedForwardOutput = NONE;
  private float[] output = NONE;
  private float[] quantizedInput = NONE;

  /** Room for batches of up to {@code rows} tokens. */
  public BlockActivations(BlockShape shape, int rows) {
    this.shape = shape;
    this.capacity = rows;
  }

  /** Tokens that a batch may have. */
  public int capacity() {
    return capacity;
  }

  /** Tokens of the batch that the last forward pass saw. */
  public int rows() {
    return rows;
  }

  /** Where the caller puts the block's input, [rows×hidden], before a forward pass. */
  public float[] input() {
    return input = room(input, shape.hidden());
  }

  float[] attentionInput() {
    return attentionInput = room(attentionInput, shape.hidden());
  }

  /** What a fused linear gives, until it is taken apart, [rows×out]. */
  float[] fused(int out) {
    return fused = room(fused, out);
  }

  float[] queryBeforeNorm() {
    return queryBeforeNorm = room(queryBeforeNorm, shape.queryWidth());
  }

  float[] keyBeforeNorm() {
    return keyBeforeNorm = room(keyBeforeNorm, shape.keyWidth());
  }

  float[] query() {
    return query = room(query, shape.queryWidth());
  }

  float[] key() {
    return key = room(key, shape.keyWidth());
  }

  float[] value() {
    return value = room(value, shape.keyWidth());
  }

  float[] logSumExp() {
    return logSumExp = room(logSumExp, shape.heads());
  }

  float[] attention() {
    return attention = room(attention, shape.queryWidth());
  }

  /** What o gives before its norm; the same as what is added to the stream without one. */
  float[] attentionOutput() {
    return attentionOutput = room(attentionOutput, shape.hidden());
  }

  /** The residual stream between attention and feed-forward, [rows×hidden]. */
  public float[] middle() {
    return middle = room(middle, shape.hidden());
  }

  float[] feedForwardInput() {
    return feedForwardInput = room(feedForwardInput, shape.hidden());
  }

  float[] gate() {
    return gate = room(gate, shape.ffn());
  }

  float[] up() {
    return up = room(up, shape.ffn());
  }

  float[] feedForward() {
    return feedForward = room(feedForward, shape.ffn());
  }

  /** What down gives before its norm, or the experts together; without either not there. */
  float[] feedForwardOutput() {
    return feedForwardOutput = room(feedForwardOutput, shape.hidden());
  }

  /** The block's output, [rows×hidden]. */
  public float[] output() {
    return output = room(output, shape.hidden());
  }

  /** Room for a stage's quantized input, [capacity×in]; the next stage's takes its place. */
  float[] quantizedInput(int in) {
    return quantizedInput = room(quantizedInput, in);
  }

  private float[] room(float[] made, int width) {
    int size = Math.multiplyExact(capacity, width);
    return made.length < size ? new float[size] : made;
  }

  /** What the linears of a stage read, [rows×in]; where activations are quantized, before that. */
  public float[] stageInput(Stage stage) {
    return switch (stage) {
      case QKV -> attentionInput();
      case O -> attention();
      case GATE_UP -> feedForwardInput();
      case DOWN -> feedForward();
    };
  }
}
