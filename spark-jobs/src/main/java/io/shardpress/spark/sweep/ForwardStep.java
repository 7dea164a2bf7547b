package io.shardpress.spark.sweep;

import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Takes a partition of windows through a block, and observes it on its way.
 *
 * @param kept whether the output is written
 * @param observer whose findings have a part of their own
 */
public record ForwardStep(BlockOutput output, boolean kept, Observer observer) implements Step {
  private static final StepKind KIND = new StepKind("forward", 1);

  /** A pass for its output alone. */
  public ForwardStep(BlockOutput output) {
    this(output, true, new Unobserved());
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** The part with what was observed. */
  public PartKey observed() {
    return part("observed");
  }

  /** The part with the block's output; it is there where the output is kept. */
  public PartKey outputPart() {
    return observes() ? part("output") : output.part();
  }

  @Override
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>();
    if (kept) {
      parts.add(outputPart());
    }
    if (observes()) {
      parts.add(observed());
    }
    return parts;
  }

  @Override
  public Reads reads() {
    return Reads.parts(output.input());
  }

  @Override
  public void run(TaskEnvironment environment) {
    try (Observation beside = begin(output.beside(), environment);
        Observation apart = begin(observer, environment);
        PartReader input = environment.store().read(output.input());
        PartWriter writer = kept ? environment.store().write(outputPart()) : null) {
      new Pass(output, environment).run(input, Optional.ofNullable(writer), List.of(beside, apart));
      if (kept) {
        beside.write(writer);
        writer.commit();
      }
      if (observes()) {
        try (PartWriter findings = environment.store().write(observed())) {
          apart.write(findings);
          findings.commit();
        }
      }
    }
  }

  private Observation begin(Observer one, TaskEnvironment environment) {
    return one.begin(output.link(), output.samples(), output.window(), environment);
  }

  private boolean observes() {
    return !observer.equals(new Unobserved());
  }
}
