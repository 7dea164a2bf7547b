package io.shardpress.spark.learn.gptq;

import io.shardpress.kernels.learn.Correction;
import io.shardpress.kernels.learn.OrderedGptq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.CalibrationTokens;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.MomentsPart;
import java.util.ArrayList;
import java.util.List;

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
  private static final StepKind KIND = new StepKind("gptq.factors", 1);

  public FactorStep {
    statistics = List.copyOf(statistics);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    boolean corrects = corrected != Correction.NONE;
    int first = place * (tiles(in) + (corrects ? tiles(correctionRows) : 0));
    float[] h = sum(environment.store(), first, in);
    float[] p = corrects ? sum(environment.store(), first + tiles(in), correctionRows) : null;
    float[] moments = keepMoments ? h.clone() : null;
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    StageFactors factors =
        ordered
            ? OrderedGptq.factors(in, h, corrected, p, damping, lambda, matmul, workers)
            : StageFactors.of(in, h, corrected, p, damping, lambda, matmul, workers);
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(
          PartRow.ofFloats("importance", List.of((long) in), 0, in, factors.importance(), 0));
      writer.add(
          PartRow.ofFloats(
              "damping", List.of(1L), 0, 1, new float[] {(float) factors.damping()}, 0));
      MomentsPart.write(writer, "upper", in, in, factors.inverseUpper());
      if (p != null) {
        MomentsPart.write(writer, "correction", correctionRows, in, factors.correction());
      }
      if (keepMoments) {
        MomentsPart.write(writer, "moments", in, in, moments);
      }
      if (chosen()) {
        CalibrationTokens.sum(environment.store(), statistics, expert).write(writer, "");
      }
      writer.commit();
    }
  }

  /** Whether they are of an expert that a router chooses. */
  boolean chosen() {
    return expert != LinearRole.NONE && expert != LinearRole.SHARED;
  }

  private int tiles(int rows) {
    return (rows - 1) / MomentsPart.tileRows(in) + 1;
  }

  /** The sum of a matrix of that many rows, whose tiles begin at {@code first} in every part. */
  private float[] sum(PartStore store, int first, int rows) {
    int tiles = tiles(rows);
    float[] total = new float[rows * in];
    List<PartReader> readers = new ArrayList<>();
    try {
      statistics.forEach(key -> readers.add(store.read(key)));
      int at = 0;
      for (int tile = 0; tile < tiles; tile++) {
        double[] sum = null;
        for (PartReader reader : readers) {
          float[] values = reader.row(first + tile).floats();
          sum = sum == null ? new double[values.length] : sum;
          for (int i = 0; i < values.length; i++) {
            sum[i] += values[i];
          }
        }
        for (double value : sum) {
          total[at++] = (float) value;
        }
      }
    } finally {
      readers.forEach(PartReader::close);
    }
    return total;
  }

  /** Reads what a factor part holds. */
  StageFactors read(PartStore store) {
    float[] upper = new float[in * in];
    float[] correction = corrected == Correction.NONE ? null : new float[correctionRows * in];
    try (PartReader reader = store.read(part())) {
      float[] importance = reader.row(0).floats();
      float damping = reader.row(1).floats()[0];
      for (int i = 2; i < reader.rows(); i++) {
        PartRow row = reader.row(i);
        if (!row.tensor().equals("moments")) {
          float[] into = row.tensor().equals("upper") ? upper : correction;
          row.floats(into, Math.toIntExact(row.rowStart() * in));
        }
      }
      return new StageFactors(in, upper, corrected, correction, importance, damping);
    }
  }

  /** H̃ [in×in] of a factor part that keeps it. */
  float[] readMoments(PartStore store) {
    float[] moments = new float[in * in];
    try (PartReader reader = store.read(part())) {
      for (int i = 2; i < reader.rows(); i++) {
        PartRow row = reader.row(i);
        if (row.tensor().equals("moments")) {
          row.floats(moments, Math.toIntExact(row.rowStart() * in));
        }
      }
    }
    return moments;
  }
}
