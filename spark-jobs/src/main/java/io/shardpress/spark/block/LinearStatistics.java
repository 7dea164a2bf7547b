package io.shardpress.spark.block;

import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the parts of a learned linear note about it.
 *
 * @param error of all its tiles
 * @param outliers that it keeps
 * @param tokens that it was calibrated on; empty where its part does not say
 */
public record LinearStatistics(
    WeightError error, int outliers, Optional<CalibrationTokens> tokens) {
  /**
   * Reads the notes of linears side by side, and no weights; each part is opened once, whatever
   * number of linears it holds.
   *
   * @return by module
   * @throws io.shardpress.spark.store.PartException with all parts that are bad
   */
  public static Map<String, LinearStatistics> read(
      PartStore store, Collection<LearnedLinear> linears) {
    Map<PartKey, List<LearnedLinear>> byPart = new LinkedHashMap<>();
    for (LearnedLinear linear : linears) {
      for (PartKey tile : linear.tiles()) {
        byPart.computeIfAbsent(tile, part -> new ArrayList<>()).add(linear);
      }
    }
    List<PartKey> parts = List.copyOf(byPart.keySet());
    List<Map<String, LinearStatistics>> read =
        store.readEach(parts, reader -> ofTiles(reader, byPart.get(reader.key())));
    Map<PartKey, Map<String, LinearStatistics>> ofPart = new HashMap<>();
    for (int i = 0; i < parts.size(); i++) {
      ofPart.put(parts.get(i), read.get(i));
    }
    Map<String, LinearStatistics> all = new HashMap<>();
    for (LearnedLinear linear : linears) {
      String module = linear.module();
      // In the order of the tiles: sums in f64 depend on it.
      linear
          .tiles()
          .forEach(tile -> all.merge(module, ofPart.get(tile).get(module), LinearStatistics::plus));
    }
    return all;
  }

  private static Map<String, LinearStatistics> ofTiles(
      PartReader reader, List<LearnedLinear> linears) {
    Map<String, LinearStatistics> all = new HashMap<>();
    linears.forEach(linear -> all.put(linear.module(), TileCodec.statistics(reader, linear)));
    return all;
  }

  /** Both together; every tile of a linear was calibrated on the same tokens. */
  private LinearStatistics plus(LinearStatistics next) {
    return new LinearStatistics(error.plus(next.error), outliers + next.outliers, tokens);
  }
}
