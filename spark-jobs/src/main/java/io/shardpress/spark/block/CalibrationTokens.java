package io.shardpress.spark.block;

import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.Collection;
import java.util.Optional;

/**
 * What an expert was calibrated on.
 *
 * @param count tokens
 * @param all whether these are all of the text, since too few of them are routed to it
 */
public record CalibrationTokens(long count, boolean all) {
  private static final String NOTE = ".calibration_tokens";
  private static final String OF_EXPERT = "expert.";

  /** Notes what an expert's statistics are taken from in their part. */
  public void writeOfExpert(PartWriter writer, int expert) {
    writer.note(OF_EXPERT + expert, toNote());
  }

  /** What parts with the statistics of experts say, added up. */
  public static CalibrationTokens sum(Collection<PartReader> parts, int expert) {
    long count = 0;
    boolean all = false;
    for (PartReader part : parts) {
      CalibrationTokens one = parse(part.note(OF_EXPERT + expert));
      count += one.count;
      all |= one.all;
    }
    return new CalibrationTokens(count, all);
  }

  /** Notes it of a module in the part that holds it. */
  public void write(PartWriter writer, String module) {
    writer.note(module + NOTE, toNote());
  }

  /** What a part notes of a module, if it does. */
  public static Optional<CalibrationTokens> read(PartReader reader, String module) {
    return Optional.ofNullable(reader.notes().get(module + NOTE)).map(CalibrationTokens::parse);
  }

  private String toNote() {
    return count + " " + all;
  }

  private static CalibrationTokens parse(String note) {
    int space = note.indexOf(' ');
    return new CalibrationTokens(
        Long.parseLong(note.substring(0, space)), Boolean.parseBoolean(note.substring(space + 1)));
  }
}
