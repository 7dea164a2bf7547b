package io.shardpress.spark.sweep;

import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Activations of a sample partition in the store: window after window, and of each window a row of
 * the part for every place, so that a batch can be written as soon as it is computed and any window
 * can be read alone.
 */
public final class Activations {
  private Activations() {}

  /**
   * Writes windows [first, first + count) of a partition.
   *
   * @param windows of the partition
   * @param window tokens of a window
   * @param places what is kept of each window, [count·T × width] from its start on
   * @param widths of the places
   */
  public static void write(
      PartWriter writer,
      int windows,
      int first,
      int count,
      int window,
      float[][] places,
      int[] widths) {
    for (int i = 0; i < count; i++) {
      for (int place = 0; place < places.length; place++) {
        writer.addFloats(
            name(place),
            List.of((long) windows, (long) window, (long) widths[place]),
            first + i,
            1,
            places[place],
            i * window * widths[place]);
      }
    }
  }

  /** Writes windows of which one thing is kept, see the method above. */
  public static void write(
      PartWriter writer, int windows, int first, int count, int window, float[] x, int width) {
    write(writer, windows, first, count, window, new float[][] {x}, new int[] {width});
  }

  /** Reads the first place of a window into {@code values} from {@code at} on. */
  public static void read(PartReader reader, int window, float[] values, int at) {
    read(reader, 0, window, values, at);
  }

  /** Reads one place of a window into {@code values} from {@code at} on. */
  public static void read(PartReader reader, int place, int window, float[] values, int at) {
    reader.floats(name(place), window, 1, values, at);
  }

  private static String name(int place) {
    return "x" + place;
  }
}
