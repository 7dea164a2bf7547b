package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Mixture;
import io.shardpress.kernels.nn.MixtureShape;
import io.shardpress.kernels.nn.Routing;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;
import java.util.Map;

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
    List<Long> shape = List.of((long) tokens, (long) mixture.perToken());
    writer.add(PartRow.ofInts(ROW, shape, 0, tokens, experts));
    long[] counts = new long[mixture.experts()];
    for (int expert : experts) {
      counts[expert]++;
    }
    for (int expert = 0; expert < counts.length; expert++) {
      writer.note(NOTE + expert, String.valueOf(counts[expert]));
    }
  }

  /** The routing of a partition, from its part. */
  public static Routing read(PartReader reader, MixtureShape mixture) {
    int[] experts = reader.row(ROW).ints();
    return new Routing(mixture.perToken(), experts, new float[experts.length]);
  }

  /** Tokens of all partitions that go through each expert, by its number. */
  public static long[] tokens(PartStore store, List<PartKey> parts, MixtureShape mixture) {
    long[] tokens = new long[mixture.experts()];
    for (Map<String, String> notes : store.readEach(parts, PartReader::notes)) {
      for (int expert = 0; expert < tokens.length; expert++) {
        tokens[expert] += Long.parseLong(notes.get(NOTE + expert));
      }
    }
    return tokens;
  }

  /** The tokens of a partition that an expert is calibrated on. */
  public static int[] rows(Routing routing, int expert, boolean all, int tokens) {
    return all || expert == LinearRole.SHARED ? Mixture.all(tokens) : routing.rowsOf(expert);
  }
}
