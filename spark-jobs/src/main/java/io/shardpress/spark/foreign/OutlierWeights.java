package io.shardpress.spark.foreign;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;

/**
 * A weight's outliers, which lie beside its integers.
 *
 * @param indices weight_outlier_indices, I32 [count]: row-major places, ascending
 * @param values weight_outlier_values [count]
 */
record OutlierWeights(TensorRef indices, TensorRef values) implements Serializable {
  /**
   * Adds those of some rows.
   *
   * @param w [rowCount × in], from row {@code rowStart} of {@code out} on
   * @throws CheckpointException where a place is not in the weight or not behind the one before
   */
  void addTo(float[] w, TensorReader reader, int rowStart, int out, int in) {
    int[] places = places(reader, (long) out * in);
    int first = firstFrom(places, (long) rowStart * in);
    int last = firstFrom(places, (long) rowStart * in + w.length);
    float[] outliers = reader.readFloats(values, first, last - first);
    TensorReader.requireFinite(values, first, outliers);
    for (int i = first; i < last; i++) {
      w[places[i] - rowStart * in] += outliers[i - first];
    }
  }

  private int[] places(TensorReader reader, long elements) {
    byte[] bytes = reader.readBytes(indices);
    int[] places = new int[bytes.length / Integer.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(places);
    long least = 0;
    for (int i = 0; i < places.length; i++) {
      if (places[i] < least || places[i] >= elements) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found place %d at [%d], wanted %d to %d, each once and ascending",
                indices.file(),
                indices.tensor(),
                places[i],
                i,
                least,
                elements - 1));
      }
      least = places[i] + 1L;
    }
    return places;
  }

  /** The first of the ascending places that is not below. */
  private static int firstFrom(int[] places, long place) {
    if (place > Integer.MAX_VALUE) {
      return places.length;
    }
    int found = Arrays.binarySearch(places, (int) place);
    return found < 0 ? -found - 1 : found;
  }
}
