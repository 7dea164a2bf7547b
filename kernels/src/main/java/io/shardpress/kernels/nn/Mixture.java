package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;

/**
 * A mixture of experts (arXiv 2401.04088): p = softmax(x·Rᵀ) over all experts; of a token the k
 * likeliest, y = Σ p_e·down_e(f(gate_e x) ∘ up_e x), where p may be divided by the sum of the
 * chosen. With a shared expert (Qwen2-MoE) y has σ(g·x) times what that gives, too.
 */
public final class Mixture {
  private final BlockShape shape;
  private final MixtureShape mixture;
  private final Linears linears;

  public Mixture(BlockShape shape, Matmul matmul) {
    this.shape = shape;
    this.mixture = shape.mixture();
    this.linears = new Linears(matmul);
  }

  /**
   * Chooses experts; of equal ones that with the smaller number.
   *
   * @param x [rows×hidden], what experts read
   * @param router [experts×hidden]
   */
  public Routing route(int rows, float[] x, float[] router, Workers workers) {
    int experts = mixture.experts();
    int k = mixture.perToken();
    float[] logits = new float[rows * experts];
    linears.forward(rows, shape.hidden(), experts, x, router, null, logits, workers);
    int[] chosen = new int[rows * k];
    float[] weights = new float[rows * k];
    RowTiles.forEach(rows, workers, row -> choose(logits, row * experts, chosen, weights, row * k));
    return new Routing(k, chosen, weights);
  }

  private void choose(float[] logits, int from, int[] chosen, float[] weights, int at) {
    int experts = mixture.experts();
    int k = mixture.perToken();
    boolean[] taken = new boolean[experts];
    for (int i = 0; i < k; i++) {
      int best = -1;
      for (int e = 0; e < experts; e++) {
        if (!taken[e] && (best < 0 || logits[from + e] > logits[from + best])) {
          best = e;
        }
      }
      taken[best] = true;
      chosen[at + i] = best;
    }
    double largest = logits[from + chosen[at]];
    double all = 0;
    for (int e = 0; e < experts; e++) {
      all += Math.exp(logits[from + e] - largest);
    }
    double sum = 0;
    for (int i = 0; i < k; i++) {
      sum += Math.exp(logits[from + chosen[at + i]] - largest);
    }
    double whole = mixture.renormalised() ? sum : all;
    for (int i = 0; i < k; i++) {
      weights[at + i] = (float) (Math.exp(logits[from + chosen[at + i]] - largest) / whole);
    }
  }

  /** σ(g·x) of each token, [rows], what the shared expert's output is multiplied by. */
  public float[] sharedWeights(int rows, float[] x, float[] gate, Workers workers) {
    int hidden = shape.hidden();
    float[] weights = new float[rows];
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          float score = Loops.chosen().dot(x, row * hidden, gate, 0, hidden);
          weights[row] = (float) (1 / (1 + Math.exp(-score)));
        });
    return weights;
  }

  /**
   * What an expert's down reads.
   *
   * @param x [rows×hidden]
   * @return [rows×width]
   */
  public float[] inside(
      int rows, float[] x, MixtureWeights.Expert expert, int width, Workers workers) {
    float[] gate = new float[rows * width];
    float[] up = new float[rows * width];
    float[] y = new float[rows * width];
    linears.forward(rows, shape.hidden(), width, x, expert.gate(), null, gate, workers);
    linears.forward(rows, shape.hidden(), width, x, expert.up(), null, up, workers);
    GatedActivation.forward(shape.traits().activation(), rows * width, gate, up, y, workers);
    return y;
  }

  /** What an expert gives, [rows×hidden], from what its down reads, [rows×width]. */
  public float[] down(
      int rows, float[] inside, MixtureWeights.Expert expert, int width, Workers workers) {
    float[] y = new float[rows * shape.hidden()];
    linears.forward(rows, width, shape.hidden(), inside, expert.down(), null, y, workers);
    return y;
  }

  /**
   * The whole mixture, expert after expert.
   *
   * @param x [rows×hidden], which the router reads
   * @param rounded the same as experts' linears read it
   * @param quantization of what down reads
   * @param y receives [rows×hidden]
   */
  void forward(
      int rows,
      float[] x,
      float[] rounded,
      MixtureWeights w,
      ActivationQuantization quantization,
      float[] y,
      Workers workers) {
    int hidden = shape.hidden();
    java.util.Arrays.fill(y, 0, rows * hidden, 0);
    Routing routing = route(rows, x, w.router(), workers);
    for (int number : mixture.numbers()) {
      boolean shared = number == LinearRole.SHARED;
      int[] tokens = shared ? all(rows) : routing.rowsOf(number);
      if (tokens.length == 0) {
        continue;
      }
      float[] weights =
          shared ? sharedWeights(rows, x, w.sharedGate(), workers) : routing.weightsOf(number);
      int width = mixture.width(number);
      MixtureWeights.Expert expert = w.expert(number);
      float[] inside =
          inside(tokens.length, gather(rounded, hidden, tokens), expert, width, workers);
      quantization.insideExpert(tokens.length, width, inside, workers);
      float[] out = down(tokens.length, inside, expert, width, workers);
      for (int i = 0; i < tokens.length; i++) {
        Loops.chosen().addScaled(weights[i], out, i * hidden, y, tokens[i] * hidden, hidden);
      }
    }
  }

  /** Numbers of all rows. */
  public static int[] all(int rows) {
    int[] all = new int[rows];
    for (int i = 0; i < rows; i++) {
      all[i] = i;
    }
    return all;
  }

  /** Some rows of x [… × width], [rows.length × width]. */
  public static float[] gather(float[] x, int width, int[] rows) {
    float[] some = new float[rows.length * width];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(x, rows[i] * width, some, i * width, width);
    }
    return some;
  }
}
