package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import java.util.Arrays;

/**
 * Integers of a linear that are learned by the end loss: those nearest to a boundary of rounding
 * have latents a, in units of a step, c = clamp(round(a) + z, 0, 2^b − 1); all others stay. Which
 * ones is fixed before learning, and follows from the latents at the start alone.
 *
 * <p>With G = ∂loss/∂Ŵ, ∂a = s·G where round(a) + z is inside the clamp, ends included, else 0:
 * gradients pass the rounding straight through.
 *
 * @param in columns of the linear
 * @param places row·in + column of each candidate, ascending
 * @param values their latents, changed by whoever learns them
 */
public record SparseLatents(int in, int[] places, float[] values) {
  /** a = w/s for all weights of a linear: latents at the start, from {@link Gptq.Result}. */
  public static float[] latents(Gptq.Result start) {
    QuantizedLinear linear = start.linear();
    float[] a = start.compensated().clone();
    int length = linear.groupLength();
    for (int i = 0; i < linear.out() * linear.in(); i++) {
      a[i] /= linear.steps().scales()[i / length];
    }
    return a;
  }

  /** Likewise where groups are no runs of columns. */
  public static float[] latents(OrderedGptq.GroupResult start) {
    IndexedLinear linear = start.linear();
    float[] a = start.compensated().clone();
    for (int i = 0; i < a.length; i++) {
      int row = i / linear.in();
      int group = row * linear.steps().groups() + linear.groupIndex()[i % linear.in()];
      a[i] /= linear.steps().scales()[group];
    }
    return a;
  }

  /**
   * The share of a linear's weights whose latents are the farthest from their integers; of equal
   * ones the first.
   *
   * @param a [out×in]
   * @param share in [0, 1]
   */
  public static SparseLatents nearestToBoundary(float[] a, int out, int in, double share) {
    int n = Math.multiplyExact(out, in);
    int count = (int) Math.min(n, Math.round(share * n));
    float[] distances = new float[n];
    for (int i = 0; i < n; i++) {
      distances[i] = distance(a[i]);
    }
    if (count == 0) {
      return new SparseLatents(in, new int[0], new float[0]);
    }
    float[] sorted = distances.clone();
    Arrays.sort(sorted);
    float least = sorted[n - count];
    int above = 0;
    for (float distance : distances) {
      above += distance > least ? 1 : 0;
    }
    int[] places = new int[count];
    float[] values = new float[count];
    int next = 0;
    int equal = count - above;
    for (int i = 0; i < n; i++) {
      if (distances[i] > least || (distances[i] == least && equal-- > 0)) {
        places[next] = i;
        values[next++] = a[i];
      }
    }
    return new SparseLatents(in, places, values);
  }

  // A latent that is no number is at no boundary.
  private static float distance(float a) {
    float distance = Math.abs(a - (float) Math.rint(a));
    return distance >= 0 ? distance : 0;
  }

  /** The first candidate in a row or behind it. */
  int firstOf(int row) {
    int at = Arrays.binarySearch(places, row * in);
    return at >= 0 ? at : -at - 1;
  }

  /** Whether a gradient passes: the nearest integer is one of the grid's. */
  static boolean passes(float a, int zero, int largest) {
    double code = Math.rint(a) + zero;
    return code >= 0 && code <= largest;
  }

  /** The linear with the candidates' codes as the latents have them, in new arrays. */
  public QuantizedLinear applied(QuantizedLinear start) {
    Grid grid = Grid.of(start.scheme());
    Steps steps = start.steps();
    int length = start.groupLength();
    byte[] codes = start.codes().clone();
    for (int k = 0; k < places.length; k++) {
      codes[places[k]] = (byte) grid.code(values[k], steps.zeros()[places[k] / length]);
    }
    return new QuantizedLinear(start.out(), start.in(), start.scheme(), codes, steps);
  }

  /** Likewise where groups are no runs of columns. */
  public IndexedLinear applied(IndexedLinear start) {
    Grid grid = Grid.of(start.scheme());
    Steps steps = start.steps();
    byte[] codes = start.codes().clone();
    for (int k = 0; k < places.length; k++) {
      int group = places[k] / in * steps.groups() + start.groupIndex()[places[k] % in];
      codes[places[k]] = (byte) grid.code(values[k], steps.zeros()[group]);
    }
    return new IndexedLinear(
        start.out(), start.in(), start.scheme(), codes, steps, start.groupIndex());
  }
}
