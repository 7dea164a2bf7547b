package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Mixture;
import io.shardpress.kernels.nn.MixtureShape;
import io.shardpress.kernels.nn.Routing;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Which experts the tokens of the calibration text go through: behind the windows of a part a row
 * of I32 [tokens × perToken], and a note expert.N with how many tokens each has.
 */
public final class Routed {
  /**
   * Tokens that an expert is calibrated on at least: one with fewer has all tokens of its block, as
   * moments of a few would say nothing of most directions.
   */
  public static final int FEWEST_TOKENS = 256;

  private static final String ROW = "experts";
  private static final String NOTE = "expert.";

  private Routed() {}

  public static void write(PartWriter writer, int[] experts, int tokens, MixtureShape mixture) {
    int perToken = mixture.perToken();
    ByteBuffer bytes = ByteBuffer.allocate(4 * experts.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(experts);
    List<Long> shape = List.of((long) tokens, (long) perToken);
    writer.add(new PartRow(ROW, Dtype.I32, shape, 0, tokens, bytes.array()));
    long[] counts = new long[mixture.experts()];
    for (int expert : experts) {
      counts[expert]++;
    }
    for (int expert = 0; expert < counts.length; expert++) {
      writer.note(NOTE + expert, String.valueOf(counts[expert]));
    }
  }

  /** The routing of a partition, from its part. */
  public static Routing read(PartReader reader, int windows, MixtureShape mixture) {
    byte[] data = reader.row(windows).data();
    int[] experts = new int[data.length / Integer.BYTES];
    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(experts);
    return new Routing(mixture.perToken(), experts, new float[experts.length]);
  }

  /** Tokens of all partitions that go through an expert. */
  public static long tokens(PartStore store, List<PartKey> parts, int expert) {
    long tokens = 0;
    for (PartKey part : parts) {
      try (PartReader reader = store.read(part)) {
        tokens += Long.parseLong(reader.note(NOTE + expert));
      }
    }
    return tokens;
  }

  /** The tokens of a partition that an expert is calibrated on. */
  public static int[] rows(Routing routing, int expert, boolean all, int tokens) {
    return all || expert == LinearRole.SHARED ? Mixture.all(tokens) : routing.rowsOf(expert);
  }
}
