package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.List;

/**
 * What a backward pass finds at the linears that read the same input. Arrays are the pass's own,
 * may be longer than said, and hold until the observer returns.
 *
 * @param stage of the block
 * @param expert that the linears belong to, as in {@link LinearRole#expert}
 * @param tokens rows of all arrays; of an expert the tokens that go through it, in their order
 * @param in width of the input
 * @param inputs x [tokens×in]; where activations are quantized, before that
 * @param parts the linears in their order
 */
public record StageGradients(
    Stage stage, int expert, int tokens, int in, float[] inputs, List<Part> parts) {
  /**
   * A linear.
   *
   * @param role which it is
   * @param out its rows
   * @param gradient ∂loss/∂output [tokens×out]
   * @param output [tokens×out], bias included; null where the pass did not keep it as it was
   */
  public record Part(LinearRole role, int out, float[] gradient, float[] output) {}

  /** Rows of all linears together, R. */
  public int out() {
    return parts.stream().mapToInt(Part::out).sum();
  }

  /** Gradients of all linears' outputs side by side, [tokens×R], which may be of the pass. */
  public float[] stacked(Workers workers) {
    if (parts.size() == 1) {
      return parts.get(0).gradient();
    }
    float[] all = new float[Math.multiplyExact(tokens, out())];
    int[] widths = parts.stream().mapToInt(Part::out).toArray();
    float[][] each = parts.stream().map(Part::gradient).toArray(float[][]::new);
    SideBySide.join(tokens, each, widths, all, workers);
    return all;
  }
}
