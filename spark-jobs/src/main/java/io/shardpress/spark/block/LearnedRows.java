package io.shardpress.spark.block;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.engine.TaskEnvironment;
import java.io.IOException;

/** A learned linear's rows, from its parts. */
public record LearnedRows(LearnedLinear linear) implements QuantizedRows {
  @Override
  public String module() {
    return linear.module();
  }

  @Override
  public int out() {
    return linear.out();
  }

  @Override
  public int in() {
    return linear.in();
  }

  @Override
  public WeightScheme scheme() {
    return linear.scheme();
  }

  @Override
  public void forEachCodes(TaskEnvironment environment, Codes codes) throws IOException {
    linear.forEachPackedTile(environment.store(), codes::accept);
  }

  @Override
  public void forEachRows(TaskEnvironment environment, Rows rows) throws IOException {
    Steps steps = readSteps(environment);
    int stride = BitPacking.words(in(), scheme().bits()) * Integer.BYTES;
    int[] row = new int[1];
    forEachCodes(
        environment,
        bytes -> {
          rows.accept(bytes, steps, row[0]);
          row[0] += bytes.length / stride;
        });
  }

  @Override
  public Steps readSteps(TaskEnvironment environment) {
    return linear.readSteps(environment.store());
  }
}
