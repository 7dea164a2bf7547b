package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.StepLoops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Scratch;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.List;

/**
 * The output error of linears that share an input, for scaled weights: Σ tr((W − Ŵ)·H·(W − Ŵ)ᵀ), Ŵ
 * = Q(W·s)/s, which is Σ‖X·(W − Ŵ)ᵀ‖² where H = XᵀX. Activations are not needed, only their second
 * moments.
 */
public final class MomentLoss implements Awq.Loss {
  // Rows whose errors are multiplied by H together: enough for the product to run at full speed.
  private static final int ROWS = 256;

  private final List<float[]> weights;
  private final int in;
  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final StepRule rule;
  private final Workers workers;
  private final ErrorForm form;
  private final Scratch scratch = new Scratch();

  /**
   * @param weights of the linears, [out×in] each, as long as their shapes say
   * @param h H [in×in], symmetric
   */
  public MomentLoss(
      List<float[]> weights,
      int in,
      float[] h,
      WeightScheme scheme,
      ScaleFormat format,
      StepRule rule,
      Matmul matmul,
      Workers workers) {
    this.weights = List.copyOf(weights);
    this.in = in;
    this.scheme = scheme;
    this.format = format;
    this.rule = rule;
    this.workers = workers;
    this.form = new ErrorForm(h, in, ROWS, in, matmul, workers);
  }

  @Override
  public double of(ChannelScales scales) {
    double sum = 0;
    for (float[] w : weights) {
      int out = w.length / in;
      for (int first = 0; first < out; first += ROWS) {
        int start = first;
        int rows = Math.min(ROWS, out - first);
        RowTiles.forEach(rows, workers, row -> errors(w, start + row, row, scales.values()));
        double[] each = form.of(rows, 0);
        for (int row = 0; row < rows; row++) {
          sum += each[row];
        }
      }
    }
    return sum;
  }

  /** Row {@code row} of W − Q(W·s)/s. */
  private void errors(float[] w, int row, int place, float[] s) {
    Grid grid = Grid.of(scheme);
    Steps steps = new Steps(1, scheme.groups(in));
    int length = in / steps.groups();
    float[] scaled = scratch.borrow(in);
    for (int i = 0; i < in; i++) {
      scaled[i] = w[row * in + i] * s[i];
    }
    for (int g = 0; g < steps.groups(); g++) {
      int at = g * length;
      rule.choose(scaled, at, at + length, null, 0, grid, format, steps, g);
      StepLoops.chosen()
          .roundTrip(
              scaled, scaled, at, length, steps.scales()[g], steps.zeros()[g], grid.largest());
    }
    float[] errors = form.errors();
    for (int i = 0; i < in; i++) {
      errors[place * in + i] = w[row * in + i] - scaled[i] / s[i];
    }
    scratch.giveBack(scaled);
  }
}
