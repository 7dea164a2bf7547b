package io.shardpress.kernels.nn;

/**
 * Which experts the tokens of a batch go through.
 *
 * @param perToken experts of each token
 * @param experts [rows × perToken] their numbers, the likeliest first
 * @param weights [rows × perToken] what their outputs are multiplied by
 */
public record Routing(int perToken, int[] experts, float[] weights) {
  /** Tokens that go through an expert, in their order. */
  public int[] rowsOf(int expert) {
    int[] rows = new int[count(expert)];
    int next = 0;
    for (int i = 0; i < experts.length; i++) {
      if (experts[i] == expert) {
        rows[next++] = i / perToken;
      }
    }
    return rows;
  }

  /** How many tokens go through an expert. */
  public int count(int expert) {
    int count = 0;
    for (int each : experts) {
      count += each == expert ? 1 : 0;
    }
    return count;
  }

  /** What an expert's outputs are multiplied by, in the order of {@link #rowsOf}. */
  public float[] weightsOf(int expert) {
    float[] of = new float[count(expert)];
    int next = 0;
    for (int i = 0; i < experts.length; i++) {
      if (experts[i] == expert) {
        of[next++] = weights[i];
      }
    }
    return of;
  }
}
