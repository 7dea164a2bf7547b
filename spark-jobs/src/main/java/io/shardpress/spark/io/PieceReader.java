package io.shardpress.spark.io;

import io.shardpress.kernels.convert.FloatBytes;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads many pieces of one file as f32. Where the file system can give several ranges at once they
 * are asked for side by side, in batches.
 */
final class PieceReader {
  /** The most that a batch holds: an array of pieces on the way beside what they become. */
  private static final int BATCH_BYTES = 4 * RangedFile.CHUNK_BYTES;

  private final RangedFile file;
  private final List<Piece> batch = new ArrayList<>();
  private int batchBytes;
  private long bytesRead;

  PieceReader(RangedFile file) {
    this.file = file;
  }

  /** Elements [from, from + count) of a tensor, which go to {@code values} from {@code at} on. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Piece(TensorRef tensor, long from, int count, float[] values, int at) {
    RangedFile.Range range() {
      return new RangedFile.Range(
          tensor.position() + tensor.dtype().bytes(from), (int) tensor.dtype().bytes(count));
    }

    void decode(byte[] bytes) {
      FloatBytes.decode(tensor.dtype(), bytes, 0, values, at, count);
    }
  }

  /** Asks for elements of a tensor; they are there after {@link #finish}. */
  void add(TensorRef tensor, long from, int count, float[] values, int at) {
    int perPiece = RangedFile.CHUNK_BYTES / (tensor.dtype().bits() / 8);
    for (int done = 0; done < count; done += perPiece) {
      int now = Math.min(perPiece, count - done);
      Piece piece = new Piece(tensor, from + done, now, values, at + done);
      int bytes = piece.range().length();
      if (batchBytes + bytes > BATCH_BYTES) {
        finish();
      }
      batch.add(piece);
      batchBytes += bytes;
    }
  }

  /** Reads what has been asked for. */
  void finish() {
    if (file.vectored() && batch.size() > 1) {
      List<byte[]> read = file.read(batch.stream().map(Piece::range).toList());
      for (int i = 0; i < read.size(); i++) {
        batch.get(i).decode(read.get(i));
      }
    } else {
      for (Piece piece : batch) {
        RangedFile.Range range = piece.range();
        byte[] bytes = new byte[range.length()];
        file.read(range.position(), bytes, 0, bytes.length);
        piece.decode(bytes);
      }
    }
    bytesRead += batchBytes;
    batch.clear();
    batchBytes = 0;
  }

  long bytesRead() {
    return bytesRead;
  }
}
