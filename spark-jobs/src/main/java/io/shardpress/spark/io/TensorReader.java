package io.shardpress.spark.io;

import io.shardpress.kernels.convert.FiniteBits;
import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.Dtype;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * Reads tensors and blocks of their rows by ranges, at most 8 MiB at once. Holds the last file
 * open; one thread at a time.
 */
public final class TensorReader implements AutoCloseable {
  /** What rounds to no number of binary16 any more. */
  private static final float F16_OVERFLOW = 65520;

  private final Configuration configuration;
  private final Traffic traffic;
  private RangedFile open;
  private byte[] chunk = new byte[0];
  private long bytesRead;

  public TensorReader(Configuration configuration) {
    this(configuration, Traffic.UNHEARD);
  }

  /**
   * @param traffic hears of what is read
   */
  public TensorReader(Configuration configuration, Traffic traffic) {
    this.configuration = configuration;
    this.traffic = traffic;
  }

  /** A whole tensor as f32, row-major; F32, F16 and BF16 come out exactly. */
  public float[] readFloats(TensorRef tensor) {
    return readFloats(tensor, 0, wholeRows(tensor));
  }

  /**
   * Rows [rowStart, rowStart + rowCount) as f32, row-major.
   *
   * @throws CheckpointException where the dtype is none of F32, F16, BF16, or the file has become
   *     shorter
   * @throws IndexOutOfBoundsException where the tensor has no such rows
   */
  public float[] readFloats(TensorRef tensor, long rowStart, int rowCount) {
    float[] values = new float[arrayLength(tensor, Math.multiplyExact(rowCount, tensor.columns()))];
    readFloats(tensor, rowStart, rowCount, values, 0);
    return values;
  }

  /** As {@link #readFloats(TensorRef, long, int)}, into {@code values} from {@code at} on. */
  public void readFloats(TensorRef tensor, long rowStart, int rowCount, float[] values, int at) {
    requireFloats(tensor);
    checkRows(tensor, rowStart, rowCount);
    if (tensor.stored() != null) {
      float[] rows = StoredRows.read(tensor, this, rowStart, rowCount);
      System.arraycopy(rows, 0, values, at, rows.length);
      return;
    }
    int width = tensor.dtype().bits() / 8;
    int count = arrayLength(tensor, Math.multiplyExact(rowCount, tensor.columns()));
    long position = tensor.position() + tensor.bytesOfRows(rowStart);
    int chunkBytes = chunkBytes(tensor);
    int perChunk = chunkBytes / width;
    reserve((int) Math.min(chunkBytes, (long) count * width));
    for (int done = 0; done < count; done += perChunk) {
      int now = Math.min(perChunk, count - done);
      file(tensor).read(position + (long) done * width, chunk, 0, now * width);
      bytesRead += (long) now * width;
      FloatBytes.decode(tensor.dtype(), chunk, 0, values, at + done, now);
    }
  }

  /**
   * Whole tensors as f32, all of one file asked for side by side where that helps.
   *
   * @return in the order of the tensors
   */
  public List<float[]> readFloats(List<TensorRef> tensors) {
    Map<String, List<Integer>> byFile = new LinkedHashMap<>();
    float[][] values = new float[tensors.size()][];
    for (int i = 0; i < tensors.size(); i++) {
      if (tensors.get(i).stored() != null) {
        values[i] = readFloats(tensors.get(i));
      } else {
        byFile.computeIfAbsent(tensors.get(i).file(), file -> new ArrayList<>()).add(i);
      }
    }
    for (List<Integer> places : byFile.values()) {
      PieceReader pieces = new PieceReader(file(tensors.get(places.get(0))));
      for (int place : places) {
        TensorRef tensor = tensors.get(place);
        requireFloats(tensor);
        values[place] = new float[arrayLength(tensor, tensor.elements())];
        pieces.add(tensor, 0, values[place].length, values[place], 0);
      }
      pieces.finish();
      bytesRead += pieces.bytesRead();
    }
    return List.of(values);
  }

  /**
   * Some rows of a tensor as f32, each read for itself but for neighbours.
   *
   * @param rows ascending, none twice
   * @return [rows × columns]
   */
  public float[] readRows(TensorRef tensor, int[] rows) {
    requireFloats(tensor);
    int columns = Math.toIntExact(tensor.columns());
    float[] values = new float[Math.multiplyExact(rows.length, columns)];
    if (tensor.stored() != null) {
      for (int i = 0; i < rows.length; i++) {
        readFloats(tensor, rows[i], 1, values, i * columns);
      }
      return values;
    }
    PieceReader pieces = new PieceReader(file(tensor));
    for (int i = 0; i < rows.length; ) {
      int count = 1;
      while (i + count < rows.length && rows[i + count] == rows[i] + count) {
        count++;
      }
      checkRows(tensor, rows[i], count);
      pieces.add(tensor, (long) rows[i] * columns, count * columns, values, i * columns);
      i += count;
    }
    pieces.finish();
    bytesRead += pieces.bytesRead();
    return values;
  }

  /** Numbers that are finite and no f16 would become infinities. */
  private static void requireInRange(TensorRef tensor, float[] values, byte[] encoded) {
    if (tensor.dtype() != Dtype.F16 || FiniteBits.allFinite(Dtype.F16, encoded, 0, values.length)) {
      return;
    }
    for (float value : values) {
      if (Float.isFinite(value) && Math.abs(value) >= F16_OVERFLOW) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found %s, beyond the range of float16 (65504); use --dtype bfloat16"
                    + " or float32",
                tensor.file(),
                tensor.tensor(),
                value));
      }
    }
  }

  /** The bytes of a whole tensor, below 2 GiB. */
  public byte[] readBytes(TensorRef tensor) {
    if (tensor.stored() != null) {
      return readBytes(tensor, 0, wholeRows(tensor));
    }
    byte[] bytes = new byte[arrayLength(tensor, tensor.length())];
    readBytes(tensor, 0, bytes, 0, bytes.length);
    return bytes;
  }

  /**
   * The bytes of rows [rowStart, rowStart + rowCount), below 2 GiB.
   *
   * @throws IndexOutOfBoundsException where the tensor has no such rows
   */
  public byte[] readBytes(TensorRef tensor, long rowStart, int rowCount) {
    checkRows(tensor, rowStart, rowCount);
    if (tensor.stored() != null) {
      float[] rows = StoredRows.read(tensor, this, rowStart, rowCount);
      byte[] encoded = new byte[arrayLength(tensor, tensor.dtype().bytes(rows.length))];
      FloatBytes.encode(tensor.dtype(), rows, 0, encoded, 0, rows.length);
      requireInRange(tensor, rows, encoded);
      return encoded;
    }
    long begin = tensor.bytesOfRows(rowStart);
    byte[] bytes = new byte[arrayLength(tensor, tensor.bytesOfRows(rowStart + rowCount) - begin)];
    readBytes(tensor, begin, bytes, 0, bytes.length);
    return bytes;
  }

  /**
   * {@code count} bytes of a tensor that is stored as it is, from its own byte {@code begin} on,
   * for copies in pieces.
   */
  public void readBytes(TensorRef tensor, long begin, byte[] into, int offset, int count) {
    if (tensor.stored() != null) {
      throw new IllegalArgumentException(tensor.tensor() + " has no bytes of its own in a file");
    }
    if (begin < 0 || count < 0 || begin > tensor.length() - count) {
      throw new IndexOutOfBoundsException(
          String.format(
              Locale.ROOT,
              "tensor %s has %d bytes, wanted %d from %d on",
              tensor.tensor(),
              tensor.length(),
              count,
              begin));
    }
    if (count > 0) {
      file(tensor).read(tensor.position() + begin, into, offset, count);
      bytesRead += count;
    }
  }

  /**
   * The bytes of some columns of a tensor [rows × columns], row after row, below 2 GiB. Where a
   * quarter of all columns is wanted or more, whole rows are read and the rest is left out.
   *
   * @return [rows × columnCount] elements
   */
  public byte[] readColumns(TensorRef tensor, long columnStart, int columnCount) {
    int width = tensor.dtype().bits() / 8;
    long stride = Math.multiplyExact(tensor.columns(), (long) width);
    if (columnStart < 0 || columnCount < 0 || columnStart > tensor.columns() - columnCount) {
      throw new IndexOutOfBoundsException(
          String.format(
              Locale.ROOT,
              "tensor %s has %d columns, wanted %d from %d on",
              tensor.tensor(),
              tensor.columns(),
              columnCount,
              columnStart));
    }
    int wanted = columnCount * width;
    int rows = wholeRows(tensor);
    byte[] bytes = new byte[arrayLength(tensor, Math.multiplyExact(rows, (long) wanted))];
    if (wanted == stride) {
      readBytes(tensor, 0, bytes, 0, bytes.length);
    } else if (4L * wanted >= stride && stride <= RangedFile.CHUNK_BYTES) {
      int perChunk = (int) (RangedFile.CHUNK_BYTES / stride);
      byte[] whole = new byte[(int) (Math.min(perChunk, rows) * stride)];
      for (int row = 0; row < rows; row += perChunk) {
        int now = Math.min(perChunk, rows - row);
        readBytes(tensor, row * stride, whole, 0, (int) (now * stride));
        for (int i = 0; i < now; i++) {
          int from = (int) (i * stride + columnStart * width);
          System.arraycopy(whole, from, bytes, (row + i) * wanted, wanted);
        }
      }
    } else {
      List<RangedFile.Range> ranges = new ArrayList<>();
      for (int row = 0; row < rows; row++) {
        ranges.add(
            new RangedFile.Range(tensor.position() + row * stride + columnStart * width, wanted));
      }
      file(tensor).read(ranges, bytes);
      bytesRead += bytes.length;
    }
    return bytes;
  }

  /** Bytes of tensor data read so far. */
  public long bytesRead() {
    return bytesRead;
  }

  /**
   * Checks values that {@link #readFloats} gave.
   *
   * @param rowStart the row that {@code values} begins with
   * @throws CheckpointException naming the place of the first NaN or infinity
   */
  public static void requireFinite(TensorRef tensor, long rowStart, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw notFinite(tensor, rowStart * tensor.columns() + i, values[i]);
      }
    }
  }

  /** The error for a value that is not finite, at {@code element} of the tensor. */
  public static CheckpointException notFinite(TensorRef tensor, long element, float value) {
    long columns = tensor.columns();
    return new CheckpointException(
        String.format(
            Locale.ROOT,
            "%s: tensor %s: found %s at [%d, %d] (file offset %d, %s), wanted finite weights;"
                + " the checkpoint is damaged or its training diverged",
            tensor.file(),
            tensor.tensor(),
            value,
            element / columns,
            element % columns,
            tensor.position() + tensor.dtype().bytes(element),
            tensor.dtype()));
  }

  @Override
  public void close() {
    if (open != null) {
      open.close();
      open = null;
    }
  }

  /** How many of a tensor's bytes are best read, and used, at a time; a multiple of 64 KiB. */
  public int chunkBytes(TensorRef tensor) {
    return file(tensor).chunkBytes();
  }

  private RangedFile file(TensorRef tensor) {
    if (open == null || !open.uri().equals(tensor.file())) {
      close();
      open = RangedFile.open(tensor.file(), configuration, traffic);
    }
    return open;
  }

  private void reserve(int bytes) {
    if (chunk.length < bytes) {
      chunk = new byte[bytes];
    }
  }

  private static void requireFloats(TensorRef tensor) {
    if (!FloatBytes.handles(tensor.dtype())) {
      throw new CheckpointException(
          String.format(
              "%s: tensor %s: found dtype %s, wanted F32, F16 or BF16; convert it, or ignore it",
              tensor.file(), tensor.tensor(), tensor.dtype()));
    }
  }

  private static int wholeRows(TensorRef tensor) {
    return arrayLength(tensor, tensor.rows());
  }

  private static void checkRows(TensorRef tensor, long rowStart, int rowCount) {
    if (rowStart < 0 || rowCount < 0 || rowStart > tensor.rows() - rowCount) {
      throw new IndexOutOfBoundsException(
          String.format(
              Locale.ROOT,
              "tensor %s has %d rows, wanted %d from %d on",
              tensor.tensor(),
              tensor.rows(),
              rowCount,
              rowStart));
    }
  }

  private static int arrayLength(TensorRef tensor, long length) {
    if (length > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "tensor %s: %d elements do not fit in an array; read it by rows",
              tensor.tensor(),
              length));
    }
    return (int) length;
  }
}
