package io.shardpress.spark.sweep;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/** Matrices of moments in parts: tiles of whole rows. */
public final class MomentsPart {
  private static final int TILE_ELEMENTS = 1 << 23;

  private MomentsPart() {}

  /** The tensor H̃ of a part: of an expert, or of all tokens where that is none. */
  public static String moments(int expert) {
    return expert == LinearRole.NONE ? "h" : "h " + expert;
  }

  /** The tensor P of a part, likewise. */
  public static String correction(int expert) {
    return expert == LinearRole.NONE ? "p" : "p " + expert;
  }

  /** Writes a matrix in tiles of whole rows. */
  public static void write(PartWriter writer, String name, int rows, int n, float[] values) {
    int tileRows = tileRows(n);
    for (int start = 0; start < rows; start += tileRows) {
      int count = Math.min(tileRows, rows - start);
      writer.addFloats(name, List.of((long) rows, (long) n), start, count, values, start * n);
    }
  }

  /** Rows of a tile of a matrix with rows of n. */
  public static int tileRows(int n) {
    return Math.max(1, TILE_ELEMENTS / n);
  }
}
