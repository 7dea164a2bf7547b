package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.learn.Adam;
import io.shardpress.kernels.learn.LogScales;
import io.shardpress.kernels.loops.AdamConstants;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.LearnedLinear;
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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A step of Adam on a block's scales and norms, or on the final norm: the tasks' gradients are
 * added up in their order and in f64.
 *
 * @param linears whose scales are learned, by their labels' names; empty of the head
 * @param candidates of the linears whose integers are learned, the parts that name them
 * @param norms names of norms and how long they are
 * @param before the state before; null before the first step
 * @param gradients the parts of the batch's tasks
 * @param block number of the block; one more than the last of the head
 * @param step counted from 1
 * @param integerRates learning rates of latents
 */
record UpdateStep(
    Map<LinearRole, LearnedLinear> linears,
    Map<LinearRole, PartKey> candidates,
    Map<String, Integer> norms,
    PartKey before,
    List<PartKey> gradients,
    int block,
    int step,
    double learningRate,
    Map<LinearRole, Double> integerRates)
    implements Step {
  private static final String MEAN = "mean ";
  private static final String VARIANCE = "variance ";
  private static final StepKind KIND = new StepKind("tune.update", 1);

  UpdateStep {
    linears = Collections.unmodifiableMap(new LinkedHashMap<>(linears));
    candidates = Collections.unmodifiableMap(new LinkedHashMap<>(candidates));
    integerRates = Collections.unmodifiableMap(new LinkedHashMap<>(integerRates));
    norms = Collections.unmodifiableMap(new LinkedHashMap<>(norms));
    gradients = List.copyOf(gradients);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(before);
  }

  @Override
  public void run(TaskEnvironment environment) {
    PartStore store = environment.store();
    TuneState state = TuneState.read(store, before, true);
    try (OpenParts<Integer> parts = OpenParts.of(store, gradients);
        PartWriter writer = store.write(part())) {
      linears.forEach(
          (role, linear) -> {
            String name = TuneState.name(role);
            float[] d = state.value(name);
            if (d == null) {
              d = LogScales.of(linear.readStartingSteps(store).scales());
            }
            update(name, d, learningRate, state, parts.readers().values(), writer, environment);
          });
      candidates.forEach(
          (role, part) -> {
            String name = TuneState.latents(role);
            float[] a = state.value(name);
            float[] latents = a == null ? CandidatesStep.start(store, part) : a;
            double rate = integerRates.get(role);
            update(name, latents, rate, state, parts.readers().values(), writer, environment);
          });
      norms.forEach(
          (norm, length) -> {
            String name = TuneState.name(norm);
            float[] e = state.value(name);
            float[] logs = e == null ? new float[length] : e;
            update(name, logs, learningRate, state, parts.readers().values(), writer, environment);
          });
      writer.commit();
    }
  }

  private void update(
      String name,
      float[] values,
      double rate,
      TuneState state,
      Iterable<PartReader> parts,
      PartWriter writer,
      TaskEnvironment environment) {
    float[] mean = moments(state, MEAN + name, values.length);
    float[] variance = moments(state, VARIANCE + name, values.length);
    float[] sum = sum(GradientStep.name(block, name), values.length, parts);
    new Adam(mean, variance, AdamConstants.SHORT_BETA_2)
        .update(values, sum, step, rate, environment.workers());
    writer.add(PartRow.ofFloats(name, values));
    writer.add(PartRow.ofFloats(MEAN + name, mean));
    writer.add(PartRow.ofFloats(VARIANCE + name, variance));
  }

  private static float[] moments(TuneState state, String name, int length) {
    float[] moments = state.value(name);
    return moments == null ? new float[length] : moments;
  }

  /** Of an expert that no token of a task went through, the task gives nothing. */
  private static float[] sum(String name, int length, Iterable<PartReader> parts) {
    double[] total = new double[length];
    for (PartReader part : parts) {
      if (!part.has(name)) {
        continue;
      }
      float[] values = part.row(name).floats();
      for (int i = 0; i < length; i++) {
        total[i] += values[i];
      }
    }
    float[] sum = new float[length];
    for (int i = 0; i < length; i++) {
      sum[i] = (float) total[i];
    }
    return sum;
  }
}
