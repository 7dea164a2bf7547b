package io.shardpress.spark.block;

import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * What an expert was calibrated on.
 *
 * @param count tokens
 * @param all whether these are all of the text, since too few of them are routed to it
 */
public record CalibrationTokens(long count, boolean all) {
  private static final String NOTE = ".calibration_tokens";

  /** What parts with the statistics of experts say, added up. */
  public static CalibrationTokens sum(PartStore store, List<PartKey> parts, int expert) {
    long count = 0;
    boolean all = false;
    for (PartKey part : parts) {
      try (PartReader reader = store.read(part)) {
        CalibrationTokens one = parse(reader.note("expert." + expert));
        count += one.count;
        all |= one.all;
      }
    }
    return new CalibrationTokens(count, all);
  }

  public void write(PartWriter writer, String module) {
    writer.note(module + NOTE, count + " " + all);
  }

  public static CalibrationTokens read(PartStore store, PartKey part, String module) {
    try (PartReader reader = store.read(part)) {
      return parse(reader.note(module + NOTE));
    }
  }

  private static CalibrationTokens parse(String note) {
    int space = note.indexOf(' ');
    return new CalibrationTokens(
        Long.parseLong(note.substring(0, space)), Boolean.parseBoolean(note.substring(space + 1)));
  }
}
