package io.shardpress.spark.sweep;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartWriter;
import java.util.Collection;
import java.util.List;

/**
 * Sums the second moments that a site's linears are solved from: H̃ = X̃ᵀX̃ [in×in] and P = (X −
 * X̃)ᵀX̃ [rows of the correction × in].
 *
 * @param corrected what targets are corrected for, which decides the rows of P
 */
public record MomentsObserver(Correction corrected) implements SiteObserver {
  @Override
  public Gathering begin(ChainLink link, Stage site, TaskEnvironment environment) {
    return new Moments(link.spec().shape(), site, corrected, environment);
  }

  /** Of the site's own linears only those whose outputs are corrected for. */
  @Override
  public Collection<LinearRole> linears(Stage site, BlockShape shape) {
    return corrected == Correction.OUTPUTS ? shape.linears(site) : List.of();
  }

  /** Rows of the sums that a correction is made from. */
  public static int correctionRows(Correction corrected, Stage site, BlockShape shape) {
    return switch (corrected) {
      case NONE -> 0;
      case INPUTS -> shape.in(site);
      case OUTPUTS -> shape.hidden();
    };
  }

  private static final class Moments implements Gathering {
    private final Stage site;
    private final Correction corrected;
    private final Matmul matmul;
    private final Workers workers;
    private final int in;
    private final float[] h;
    private final float[] p;

    Moments(BlockShape shape, Stage site, Correction corrected, TaskEnvironment environment) {
      this.site = site;
      this.corrected = corrected;
      this.matmul = environment.matmul();
      this.workers = environment.workers();
      this.in = shape.in(site);
      this.h = new float[in * in];
      this.p = new float[correctionRows(corrected, site, shape) * in];
    }

    /** Adds a batch; what the full-precision chain has of it becomes its difference. */
    @Override
    public void observe(
        BlockActivations full, BlockActivations other, BlockWeights original, int rows) {
      float[] quantized = other.stageInput(site);
      SymmetricRank.accumulate(matmul, quantized, 0, rows, in, h, workers);
      if (corrected == Correction.NONE) {
        return;
      }
      float[] error = difference(full.stageInput(site), quantized, rows * in);
      int width = in;
      if (corrected == Correction.OUTPUTS) {
        LinearRole role = site == Stage.O ? LinearRole.O : LinearRole.DOWN;
        width = p.length / in;
        float[] inputError = error;
        error =
            difference(
                ChainPass.residual(site, full), ChainPass.residual(site, other), rows * width);
        float[] w = original.linear(role);
        matmul.multiply(
            Op.AS_IS,
            Op.TRANSPOSED,
            rows,
            width,
            in,
            1,
            inputError,
            0,
            in,
            w,
            0,
            in,
            1,
            error,
            0,
            width,
            workers);
      }
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          width,
          in,
          rows,
          1,
          error,
          0,
          width,
          quantized,
          0,
          in,
          1,
          p,
          0,
          in,
          workers);
    }

    @Override
    public void write(PartWriter writer) {
      MomentsPart.write(writer, MomentsPart.moments(LinearRole.NONE), in, in, h);
      MomentsPart.write(writer, MomentsPart.correction(LinearRole.NONE), p.length / in, in, p);
    }

    /** x ← x − y, and gives x. */
    private static float[] difference(float[] x, float[] y, int length) {
      Loops.chosen().addScaled(-1, y, 0, x, 0, length);
      return x;
    }
  }
}
