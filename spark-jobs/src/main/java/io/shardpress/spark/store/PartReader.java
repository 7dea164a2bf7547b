package io.shardpress.spark.store;

import io.shardpress.schemas.safetensors.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;

/**
 * Reads a part: any row of it, by its name or by its place, checking what it reads. Rows that are
 * not asked for are not read.
 */
public final class PartReader implements AutoCloseable {
  private static final int MOST_TOLD = 8;

  private final PartBatches batches;

  PartReader(PartStore store, PartKey key) {
    batches = new PartBatches(store, key);
  }

  /** Its name. */
  public PartKey key() {
    return batches.key();
  }

  /** Rows that it has. */
  public int rows() {
    return batches.index().size();
  }

  /** The tensor of a row, by its place in the order of writing. */
  public String tensor(int place) {
    return batches.index().get(place).tensor();
  }

  /** Whether one row holds all of a tensor. */
  public boolean has(String tensor) {
    return batches.index().only(tensor) != null;
  }

  /**
   * A row, by its place in the order of writing.
   *
   * @throws PartException where the row is not what was written
   */
  public PartRow row(int place) {
    VectorSchemaRoot root = batches.load(place);
    ByteBuffer bytes = PartChecksum.data(root);
    byte[] data = new byte[bytes.remaining()];
    bytes.get(data);
    List<Long> shape = new ArrayList<>();
    // As the checksum reads it: whether the batch calls a value null is not under the checksum.
    ListVector sides = (ListVector) root.getVector(PartSchema.SHAPE);
    for (int i = sides.getElementStartIndex(0); i < sides.getElementEndIndex(0); i++) {
      shape.add(((BigIntVector) sides.getDataVector()).get(i));
    }
    PartIndex.Entry held = batches.index().get(place);
    Dtype dtype = Dtype.of(PartBatches.utf8(root, PartSchema.DTYPE));
    batches.release();
    return new PartRow(held.tensor(), dtype, shape, held.rowStart(), held.rowCount(), data);
  }

  /**
   * All that the part holds of a tensor, which has to be one row of the part.
   *
   * @throws PartException where the row is not what was written
   * @throws IllegalStateException where there is no such row, or more than one
   */
  public PartRow row(String tensor) {
    Integer place = batches.index().only(tensor);
    if (place == null) {
      throw missing("one row with all of " + tensor, tensor);
    }
    return row(place);
  }

  /**
   * Rows [rowStart, rowStart + rowCount) of a tensor of f32, which are whole rows of the part,
   * without a copy in between.
   *
   * @param values receives them from {@code at} on
   * @return how many numbers there are
   * @throws PartException where a row is not what was written
   * @throws IllegalStateException where the part does not hold these rows, or not by themselves
   */
  public int floats(String tensor, long rowStart, int rowCount, float[] values, int at) {
    int end = at;
    for (int place : places(tensor, rowStart, rowCount)) {
      FloatBuffer numbers = data(place).asFloatBuffer();
      int count = numbers.remaining();
      numbers.get(values, end, count);
      batches.release();
      end += count;
    }
    return end - at;
  }

  /** The same of a tensor of i32. */
  public int ints(String tensor, long rowStart, int rowCount, int[] values, int at) {
    int end = at;
    for (int place : places(tensor, rowStart, rowCount)) {
      IntBuffer numbers = data(place).asIntBuffer();
      int count = numbers.remaining();
      numbers.get(values, end, count);
      batches.release();
      end += count;
    }
    return end - at;
  }

  private List<Integer> places(String tensor, long rowStart, int rowCount) {
    List<Integer> places = batches.index().of(tensor, rowStart, rowCount);
    if (places == null) {
      throw missing(new PartIndex.Entry(tensor, rowStart, rowCount).toString(), tensor);
    }
    return places;
  }

  private ByteBuffer data(int place) {
    return PartChecksum.data(batches.load(place)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A part is named after all that is in it, so that only a program can be wrong here. */
  private IllegalStateException missing(String wanted, String tensor) {
    List<String> found =
        IntStream.range(0, rows())
            .mapToObj(batches.index()::get)
            .filter(held -> !batches.index().has(tensor) || held.tensor().equals(tensor))
            .map(PartIndex.Entry::toString)
            .limit(MOST_TOLD)
            .toList();
    return new IllegalStateException(batches.path() + ": found " + found + ", wanted " + wanted);
  }

  /**
   * What the writer noted under that name.
   *
   * @throws PartException where it noted nothing
   */
  public String note(String name) {
    String value = notes().get(name);
    if (value == null) {
      throw new PartException(batches.key(), batches.path() + ": found no note " + name, null);
    }
    return value;
  }

  /** All that the writer noted, by name; reading it reads no row. */
  public Map<String, String> notes() {
    return batches.notes();
  }

  @Override
  public void close() {
    batches.close();
  }
}
