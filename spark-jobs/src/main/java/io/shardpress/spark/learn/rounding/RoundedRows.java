package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.QuantizedRows;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.WeightError;
import io.shardpress.spark.engine.TaskEnvironment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A linear that is rounded to nearest while its publication reads it, with no parts in between. For
 * a file in which scales come first, its weights are read twice.
 *
 * @param module its name
 */
public record RoundedRows(String module, RowRounding rounding) implements QuantizedRows {
  @Override
  public int out() {
    return Math.toIntExact(rounding.tensor().rows());
  }

  @Override
  public int in() {
    return rounding.in();
  }

  @Override
  public WeightScheme scheme() {
    return rounding.scheme();
  }

  @Override
  public void forEachCodes(TaskEnvironment environment, Codes codes) throws IOException {
    KeptSteps kept = KeptSteps.of(environment);
    boolean known = kept.has(module);
    byte[][] bytes = new byte[1][];
    round(
        environment,
        known,
        (packed, steps) -> {
          if (!known) {
            kept.add(module, steps);
          }
          bytes[0] = bytes(packed, bytes[0]);
          codes.accept(bytes[0]);
        });
  }

  @Override
  public void forEachRows(TaskEnvironment environment, Rows rows) throws IOException {
    KeptSteps kept = KeptSteps.of(environment);
    // Without zero points nobody asks for the steps again.
    boolean keep = !scheme().symmetric() && !kept.has(module);
    byte[][] bytes = new byte[1][];
    round(
        environment,
        kept.has(module),
        (packed, steps) -> {
          if (keep) {
            kept.add(module, steps);
          }
          bytes[0] = bytes(packed, bytes[0]);
          rows.accept(bytes[0], steps, 0);
        });
  }

  private void round(TaskEnvironment environment, boolean known, RowRounding.Rounded rounded)
      throws IOException {
    KeptSteps kept = KeptSteps.of(environment);
    List<WeightError> errors = new ArrayList<>();
    for (RowTile tile : RowTile.of(out(), in())) {
      Steps given = known ? kept.read(module, tile.start(), tile.count(), rounding.groups()) : null;
      errors.add(rounding.round(environment, tile, given, rounded));
    }
    kept.error(module, RowRounding.sum(errors));
  }

  @Override
  public Steps readSteps(TaskEnvironment environment) {
    KeptSteps kept = KeptSteps.of(environment);
    if (!kept.has(module)) {
      for (RowTile tile : RowTile.of(out(), in())) {
        kept.add(module, rounding.steps(environment, tile));
      }
    }
    return kept.read(module, 0, out(), rounding.groups());
  }

  /** The errors of all linears that a task has rounded so, by module. */
  public static Map<String, WeightError> errors(TaskEnvironment environment) {
    return KeptSteps.of(environment).errors();
  }

  private static byte[] bytes(int[] packed, byte[] reused) {
    int length = packed.length * Integer.BYTES;
    byte[] bytes = reused != null && reused.length == length ? reused : new byte[length];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(packed);
    return bytes;
  }
}
