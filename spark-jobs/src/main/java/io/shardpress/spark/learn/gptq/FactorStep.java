package io.shardpress.spark.learn.gptq;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.learn.OrderedGptq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.CalibrationTokens;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.OpenParts;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.MomentsPart;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Adds up the sample partitions' moments, in their order and in f64, and factors them for the
 * stage's linears.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param place of the sums among those of the parts: 0 where they are the only ones
 * @param expert whose sums they are, {@link LinearRole#NONE} where they are of all tokens
 * @param correctionRows rows of the sums that the correction is made from
 * @param ordered whether the inverse is in the order of falling diag(H̃), for {@link OrderedGptq}
 * @param keepMoments whether H̃ itself is kept for what descends its form
 * @param damping of the inverse, as a share of the mean diagonal
 * @param lambda of the correction, likewise
 */
public record FactorStep(
    String arithmetic,
    List<PartKey> statistics,
    int place,
    int expert,
    int in,
    Correction corrected,
    int correctionRows,
    boolean ordered,
    boolean keepMoments,
    double damping,
    double lambda)
    implements Step {
  private static final String IMPORTANCE = "importance";
  private static final String DAMPING = "damping";
  private static final String UPPER = "upper";
  private static final String CORRECTION = "correction";
  private static final String MOMENTS = "moments";
  private static final StepKind KIND = new StepKind("gptq.factors", 1);

  public FactorStep {
    statistics = List.copyOf(statistics);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(statistics);
  }

  @Override
  public void run(TaskEnvironment environment) {
    float[] h;
    float[] p = null;
    Optional<CalibrationTokens> tokens = Optional.empty();
    try (OpenParts<Integer> sums = OpenParts.of(environment.store(), statistics)) {
      Collection<PartReader> readers = sums.readers().values();
      h = sum(readers, MomentsPart.moments(expert), in);
      if (corrected != Correction.NONE) {
        p = sum(readers, MomentsPart.correction(expert), correctionRows);
      }
      if (chosen()) {
        tokens = Optional.of(CalibrationTokens.sum(readers, expert));
      }
    }
    float[] moments = keepMoments ? h.clone() : null;
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    StageFactors factors =
        ordered
            ? OrderedGptq.factors(in, h, corrected, p, damping, lambda, matmul, workers)
            : StageFactors.of(in, h, corrected, p, damping, lambda, matmul, workers);
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(PartRow.ofFloats(IMPORTANCE, factors.importance()));
      writer.add(PartRow.ofFloats(DAMPING, (float) factors.damping()));
      MomentsPart.write(writer, UPPER, in, in, factors.inverseUpper());
      if (p != null) {
        MomentsPart.write(writer, CORRECTION, correctionRows, in, factors.correction());
      }
      if (keepMoments) {
        MomentsPart.write(writer, MOMENTS, in, in, moments);
      }
      tokens.ifPresent(counted -> counted.write(writer, ""));
      writer.commit();
    }
  }

  /** Whether they are of an expert that a router chooses. */
  private boolean chosen() {
    return expert != LinearRole.NONE && expert != LinearRole.SHARED;
  }

  /** The sum of a matrix of that many rows over all parts, tile by tile. */
  private float[] sum(Collection<PartReader> parts, String tensor, int rows) {
    float[] total = new float[rows * in];
    int tileRows = MomentsPart.tileRows(in);
    float[] values = new float[Math.min(rows, tileRows) * in];
    double[] sum = new double[values.length];
    for (int start = 0; start < rows; start += tileRows) {
      int count = Math.min(tileRows, rows - start);
      Arrays.fill(sum, 0);
      for (PartReader part : parts) {
        int length = part.floats(tensor, start, count, values, 0);
        for (int i = 0; i < length; i++) {
          sum[i] += values[i];
        }
      }
      for (int i = 0; i < count * in; i++) {
        total[start * in + i] = (float) sum[i];
      }
    }
    return total;
  }

  /**
   * What a factor part holds beside H̃.
   *
   * @param tokens that an expert is calibrated on; empty where it is none that a router chooses
   */
  record Factors(StageFactors stage, Optional<CalibrationTokens> tokens) {}

  /** Reads it. */
  Factors read(PartStore store) {
    float[] upper = new float[in * in];
    float[] correction = corrected == Correction.NONE ? null : new float[correctionRows * in];
    try (PartReader reader = store.read(part())) {
      float[] importance = reader.row(IMPORTANCE).floats();
      float added = reader.row(DAMPING).floats()[0];
      reader.floats(UPPER, 0, in, upper, 0);
      if (correction != null) {
        reader.floats(CORRECTION, 0, correctionRows, correction, 0);
      }
      return new Factors(
          new StageFactors(in, upper, corrected, correction, importance, added),
          CalibrationTokens.read(reader, ""));
    }
  }

  /** Reads the factors. */
  public StageFactors stage(PartStore store) {
    return read(store).stage();
  }

  /** Reads how many tokens they are of, where a router chose them. */
  public Optional<CalibrationTokens> tokens(PartStore store) {
    try (PartReader reader = store.read(part())) {
      return CalibrationTokens.read(reader, "");
    }
  }

  /** H̃ [in×in] of a factor part that keeps it. */
  public float[] readMoments(PartStore store) {
    float[] moments = new float[in * in];
    try (PartReader reader = store.read(part())) {
      reader.floats(MOMENTS, 0, in, moments, 0);
    }
    return moments;
  }
}
